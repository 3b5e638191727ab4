/** What a call of `curl` asks for. */
export interface CurlRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Where the answer is written, if not to the terminal. */
  readonly file?: string;
}

/** A piece of a word: in single quotes, in double quotes, an escaped character, or plain. */
const PIECE = /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\([^])|([^\s'"\\]+)/y;

/** Takes a command apart as a shell would: quotes, escapes, line continuations and `$VARIABLES`. Throws on anything else it would do. */
export function shellWords(command: string, variables: Readonly<Record<string, string>>): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < command.length; at = PIECE.lastIndex) {
    PIECE.lastIndex = at;
    const [all, single, double, escaped, plain] = PIECE.exec(command) ?? [];
    if (all === undefined) {
      if (!/\s/.test(command.charAt(at))) throw new Error(`no word of a shell: ${command.slice(at)}`);
      if (word !== undefined) words.push(word);
      word = undefined;
      PIECE.lastIndex = at + 1;
    } else if (escaped !== '\n') {
      const piece = single ?? escaped ?? expand(double ?? refuseSpecial(plain ?? ''), variables);
      word = (word ?? '') + piece;
    }
  }
  return word === undefined ? words : [...words, word];
}

/** What a shell would take for more than a part of a word. */
function refuseSpecial(text: string): string {
  if (/[;|<>&()*?~#]/.test(text)) throw new Error(`more than a word of a shell: ${text}`);
  return text;
}

function expand(text: string, variables: Readonly<Record<string, string>>): string {
  if (/[`;|<>]|\$\(/.test(text) && !text.includes('://'))
    throw new Error(`more than a word of a shell: ${text}`);
  return text.replaceAll(/\\(["\\$])|\$(\w+)/g, (_: string, escaped: string | undefined, name: string) => {
    if (escaped !== undefined) return escaped;
    const value = variables[name];
    if (value === undefined) throw new Error(`the variable ${name} is not set`);
    return value;
  });
}

/** Reads `curl [-sS] [-X METHOD] [-H HEADER]... [-d BODY] [-o FILE] URL`, the forms that our guides use. Throws on any other. */
export function readCurl(command: string, variables: Readonly<Record<string, string>>): CurlRequest {
  const [program, ...words] = shellWords(command, variables);
  if (program !== 'curl') throw new Error(`no call of curl: ${command}`);
  const headers: Record<string, string> = {};
  let url: string | undefined;
  let method: string | undefined;
  let body: string | undefined;
  let file: string | undefined;
  while (words.length > 0) {
    const word = words.shift() ?? '';
    if (word === '-sS') continue;
    if (word === '-X') method = words.shift();
    else if (word === '-d') body = words.shift();
    else if (word === '-o') file = words.shift();
    else if (word === '-H') {
      const [name = '', ...value] = (words.shift() ?? '').split(': ');
      headers[name] = value.join(': ');
    } else if (word.startsWith('-') || url !== undefined) throw new Error(`unknown to our curl: ${word}`);
    else url = word;
  }
  if (url === undefined) throw new Error(`no address in ${command}`);
  // As curl does: what has a body is posted, and line feeds are taken out of it.
  const sent = body?.replaceAll('\n', '');
  return {
    url,
    method: method ?? (sent === undefined ? 'GET' : 'POST'),
    headers,
    ...(sent === undefined ? {} : { body: sent }),
    ...(file === undefined ? {} : { file }),
  };
}

/** A block at the top of a configuration file, such as `resource "google_pubsub_topic" "this" { … }`. */
export interface TopBlock {
  readonly kind: string;
  /** Its one or two names. */
  readonly names: readonly string[];
  /** What stands between its braces. */
  readonly body: string;
}

const HEAD = /^([a-z_]+)((?: "[^"]+")*) \{$/;

/**
 * The blocks of a file that `terraform fmt` has formatted, so that a block begins and ends at the start of a line. It is no parser of HCL:
 * what stands inside is for Terraform to judge.
 */
export function topBlocks(text: string): TopBlock[] {
  const blocks: TopBlock[] = [];
  let open: { kind: string; names: string[]; lines: string[] } | undefined;
  for (const line of text.split('\n')) {
    if (open === undefined) open = headOf(line);
    else if (line === '}') {
      blocks.push({ kind: open.kind, names: open.names, body: open.lines.join('\n') });
      open = undefined;
    } else open.lines.push(line);
  }
  return blocks;
}

function headOf(line: string): { kind: string; names: string[]; lines: string[] } | undefined {
  const [, kind, names] = HEAD.exec(line) ?? [];
  if (kind === undefined) return undefined;
  return { kind, names: [...(names ?? '').matchAll(/"([^"]+)"/g)].map(([, name = '']) => name), lines: [] };
}

/**
 * The value of an argument of the block itself, as it is written; undefined where there is none. A value goes on over the lines that are
 * indented deeper, and over the one that closes it.
 */
export function argument(body: string, name: string): string | undefined {
  const lines = body.split('\n');
  const at = lines.findIndex((line) => new RegExp(`^ {2}${name} +=`).test(line));
  const first = lines[at];
  if (first === undefined) return undefined;
  const value = [first.slice(first.indexOf('=') + 1).trim()];
  const end = lines.findIndex((line, index) => index > at && !line.startsWith('   '));
  if (/[[({]$/.test(value[0] ?? '')) value.push(...lines.slice(at + 1, end === -1 ? undefined : end + 1));
  return value.join('\n');
}

import { argument, type TopBlock } from './hcl-blocks.ts';

const BEGIN = '<!-- made by npm run generate:terraform -->';
const END = '<!-- end -->';

/** The README of a configuration with its tables made again. The text before the mark is kept; without a mark they come at the end. */
export function withTables(readme: string, blocks: readonly TopBlock[]): string {
  const before = readme.includes(BEGIN) ? readme.slice(0, readme.indexOf(BEGIN)) : `${readme.trimEnd()}\n\n`;
  const after = readme.includes(END) ? readme.slice(readme.indexOf(END) + END.length) : '\n';
  return `${before}${BEGIN}\n\n${tablesOf(blocks)}\n${END}${after}`;
}

function tablesOf(blocks: readonly TopBlock[]): string {
  const variables = blocks.filter(({ kind }) => kind === 'variable').map(variableRow);
  const outputs = blocks.filter(({ kind }) => kind === 'output').map(outputRow);
  return [
    ...(variables.length === 0 ? [] : ['| variable | | default |', '|---|---|---|', ...variables, '']),
    ...(outputs.length === 0 ? [] : ['| output | |', '|---|---|', ...outputs, '']),
  ].join('\n');
}

function variableRow({ names, body }: TopBlock): string {
  const preset = argument(body, 'default');
  const shown =
    preset === undefined ? 'required' : preset.includes('\n') ? 'see `variables.tf`' : `\`${preset}\``;
  return `| \`${names[0] ?? ''}\` | ${descriptionOf(body)} | ${shown} |`;
}

const outputRow = ({ names, body }: TopBlock): string => `| \`${names[0] ?? ''}\` | ${descriptionOf(body)} |`;

/** Without the quotes and escapes of HCL, and with what Markdown would take for a column made harmless. */
export const descriptionOf = (body: string): string =>
  (argument(body, 'description') ?? '').replace(/^"|"$/g, '').replaceAll('\\"', '"').replaceAll('|', '\\|');

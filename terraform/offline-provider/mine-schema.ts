import type { Attribute, AttributeType, Block, NestedBlock } from './schema.ts';

/** The sources of one resource's bindings do not look as this file expects them to: nothing may be guessed. */
export class UnknownBinding extends Error {
  override name = 'UnknownBinding';
}

/** The shape of a resource, a data source or the provider itself. */
export interface MinedType {
  /** Such as `google_pubsub_topic`. */
  readonly type: string;
  readonly block: Block;
}

/**
 * The provider's own arguments, read from its bindings in the same way. Its blocks and the addresses of its interfaces are left out, since
 * nothing here sets them.
 */
export function mineProvider(source: string): Block {
  const { root } = readBindings(source);
  const written = writtenIn(root.text);
  const attributes: Record<string, Attribute> = {};
  for (const { name, is } of membersOf(root.text)) {
    const how = written.get(name);
    if (how && !how.isBlock && !name.endsWith('_custom_endpoint'))
      attributes[name] = { type: writtenType(how), is };
  }
  return { attributes, blocks: {} };
}

/** One property of a binding's class, as its comment and its getter describe it. */
interface Member {
  readonly name: string;
  readonly is: Attribute['is'];
  /** From after the comment to the next one. */
  readonly code: string;
}

/** How a property is written into a configuration. What is only computed is not. */
interface Written {
  readonly isBlock: boolean;
  readonly kind: string;
  readonly storage: string;
}

const CLASS = /export class (\w+) extends cdktf\.(\w+)[^]*?(?=\nexport class |$)/g;
const MEMBER =
  /\/\/ (\w+) - computed: (true|false), optional: (true|false), required: (true|false)\n([^]*?)(?=\/\/ \w+ - computed: |$)/g;
const WRITTEN =
  /\n\s+(\w+): \{\n\s+value: [^\n]+\n\s+isBlock: (true|false),\n\s+type: "(\w+)",\n\s+storageClassType: "(\w+)",/g;
const TYPE = /static readonly tfResourceType = "(\w+)"/;
const ROOTS = new Set(['TerraformResource', 'TerraformDataSource', 'TerraformProvider']);

interface Bindings {
  readonly classes: ReadonlyMap<string, string>;
  readonly writers: ReadonlyMap<string, string>;
  readonly root: { readonly name: string; readonly text: string };
}

/**
 * Reads the shape of one type from the TypeScript sources of its generated bindings: a class for each block, with a comment before each
 * property, and for each block a function that writes it as HCL.
 */
export function mineType(source: string): MinedType {
  const bindings = readBindings(source);
  const type = TYPE.exec(bindings.root.text)?.[1];
  if (type === undefined) throw new UnknownBinding(`${bindings.root.name} does not say its type`);
  return { type, block: readBlock(bindings, bindings.root.text, bindings.root.text) };
}

function readBindings(source: string): Bindings {
  const classes = new Map<string, string>();
  let root: Bindings['root'] | undefined;
  for (const [text, name = '', parent = ''] of source.matchAll(CLASS)) {
    classes.set(name, text);
    if (ROOTS.has(parent)) root = { name, text };
  }
  if (root === undefined)
    throw new UnknownBinding('there is no class of a resource, data source or provider');
  const writers = new Map<string, string>();
  for (const [text, name = ''] of source.matchAll(/export function (\w+)ToHclTerraform\([^]*?\n\}/g))
    writers.set(name.toLowerCase(), text);
  return { classes, writers, root };
}

function readBlock(bindings: Bindings, classText: string, writerText: string): Block {
  const written = writtenIn(writerText);
  const attributes: Record<string, Attribute> = {};
  const blocks: Record<string, NestedBlock> = {};
  for (const member of membersOf(classText)) {
    const how = written.get(member.name);
    if (how?.isBlock) blocks[member.name] = readNested(bindings, member, how);
    else
      attributes[member.name] = {
        type: how ? writtenType(how) : computedType(bindings, member),
        is: member.is,
      };
  }
  return { attributes, blocks };
}

function writtenIn(text: string): Map<string, Written> {
  return new Map(
    [...text.matchAll(WRITTEN)].map(([, name = '', isBlock, kind = '', storage = '']) => [
      name,
      { isBlock: isBlock === 'true', kind, storage },
    ]),
  );
}

function membersOf(classText: string): Member[] {
  return [...classText.matchAll(MEMBER)].map(
    ([, name = '', computed, optional, required, code = '']): Member => ({
      name,
      is: required === 'true' ? 'r' : optional !== 'true' ? 'c' : computed === 'true' ? 'oc' : 'o',
      code,
    }),
  );
}

function readNested(bindings: Bindings, { name, is, code }: Member, { kind, storage }: Written): NestedBlock {
  const struct = storage.replace(/(?:List|Set|Map)$/, '');
  const text = bindings.classes.get(`${struct}OutputReference`);
  const writer = bindings.writers.get(struct.toLowerCase());
  if (text === undefined || writer === undefined)
    throw new UnknownBinding(`the block ${name} has no class or writer ${struct}`);
  return {
    nesting: kind === 'struct' ? 'single' : kind === 'set' ? 'set' : 'list',
    required: is === 'r',
    once: kind !== 'struct' && code.includes(`new ${struct}OutputReference(`),
    block: readBlock(bindings, text, writer),
  };
}

const SCALARS: Readonly<Record<string, AttributeType>> = {
  string: 'string',
  number: 'number',
  boolean: 'bool',
  // The bindings say `any` where every value is a text of its own, as in maps of labels.
  any: 'string',
};

function writtenType({ kind, storage }: Written): AttributeType {
  const scalar = SCALARS[storage.replace(/(?:List|Set|Map)$/, '')];
  if (scalar !== undefined && kind === 'simple') return scalar;
  if (scalar !== undefined && (kind === 'list' || kind === 'set' || kind === 'map')) return [kind, scalar];
  throw new UnknownBinding(`there is no type for ${kind} of ${storage}`);
}

const GETTERS: Readonly<Record<string, AttributeType>> = {
  String: 'string',
  Number: 'number',
  Boolean: 'bool',
  List: ['list', 'string'],
  NumberList: ['list', 'number'],
  StringMap: ['map', 'string'],
  NumberMap: ['map', 'number'],
  BooleanMap: ['map', 'bool'],
};

/** What is only computed has no writer: its type follows from its getter, or from the class of its elements. */
function computedType(bindings: Bindings, { name, code }: Member): AttributeType {
  const getter = /this\.get(\w+)Attribute\(|new cdktf\.(\w+)\(this/.exec(code)?.slice(1).find(Boolean);
  const simple = getter === undefined ? undefined : GETTERS[getter];
  if (simple !== undefined) return simple;
  if (getter?.startsWith('Any')) return ['map', 'string'];
  const struct = /new (\w+?)(?:List|Map|OutputReference)\(this/.exec(code)?.[1];
  const text = struct === undefined ? undefined : bindings.classes.get(`${struct}OutputReference`);
  if (text === undefined) throw new UnknownBinding(`the type of ${name} is not known`);
  const fields = membersOf(text).map((field) => [field.name, computedType(bindings, field)] as const);
  return ['list', ['object', Object.fromEntries(fields)]];
}

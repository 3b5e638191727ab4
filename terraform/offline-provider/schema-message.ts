import { bytesField, flagField, message, messageField, numberField, textField } from './protobuf.ts';
import type { Attribute, Block, NestedBlock, ProviderSchema } from './schema.ts';

/**
 * The answer to `GetProviderSchema` of Terraform's plugin protocol 6, with the field numbers of its `tfplugin6.proto`. The message of a
 * schema is `{version = 1, block = 2}`.
 */
export function schemaMessage({ provider, resources, dataSources }: ProviderSchema): Buffer {
  return message(
    messageField(1, schemaOf(provider)),
    ...Object.entries(resources).map(([type, block]) => entry(2, type, block)),
    ...Object.entries(dataSources).map(([type, block]) => entry(3, type, block)),
  );
}

/** A map in protobuf is a list of messages `{key = 1, value = 2}`. */
const entry = (number: number, type: string, block: Block): Buffer =>
  messageField(number, message(textField(1, type), messageField(2, schemaOf(block))));

const schemaOf = (block: Block): Buffer => messageField(2, blockMessage(block));

const blockMessage = ({ attributes, blocks }: Block): Buffer =>
  message(
    ...Object.entries(attributes).map(([name, attribute]) =>
      messageField(2, attributeMessage(name, attribute)),
    ),
    ...Object.entries(blocks).map(([name, nested]) => messageField(3, nestedMessage(name, nested))),
  );

const attributeMessage = (name: string, { type, is }: Attribute): Buffer =>
  message(
    textField(1, name),
    bytesField(2, Buffer.from(JSON.stringify(type))),
    flagField(4, is === 'r'),
    flagField(5, is.includes('o')),
    flagField(6, is.includes('c')),
  );

const NESTING = { single: 1, list: 2, set: 3 } as const;

const nestedMessage = (name: string, { nesting, required, once, block }: NestedBlock): Buffer =>
  message(
    textField(1, name),
    messageField(2, blockMessage(block)),
    numberField(3, NESTING[nesting]),
    numberField(4, required && nesting !== 'single' ? 1 : 0),
    numberField(5, once && nesting !== 'single' ? 1 : 0),
  );

/**
 * What the offline provider knows of the google provider: the shape of its resources and data sources, without what they do. The committed
 * `schema.json` is of this type.
 */
export interface ProviderSchema {
  /** Where the shapes come from, and under which licence. */
  readonly origin: Readonly<Record<'package' | 'provider' | 'licence', string>>;
  readonly provider: Block;
  readonly resources: Readonly<Record<string, Block>>;
  readonly dataSources: Readonly<Record<string, Block>>;
}

export interface Block {
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly blocks: Readonly<Record<string, NestedBlock>>;
}

export interface Attribute {
  readonly type: AttributeType;
  /** Letters: `r` required, `o` optional, `c` computed. */
  readonly is: 'r' | 'o' | 'c' | 'oc';
}

/** Terraform's own notation of types, as JSON. */
export type AttributeType =
  | 'string'
  | 'number'
  | 'bool'
  | readonly ['list' | 'set' | 'map', AttributeType]
  | readonly ['object', Readonly<Record<string, AttributeType>>];

export interface NestedBlock {
  readonly nesting: 'single' | 'list' | 'set';
  /** Whether there must be one. */
  readonly required: boolean;
  /** Whether there may be one only. */
  readonly once: boolean;
  readonly block: Block;
}

import type { Scope } from './scope.ts';

/** Who a request comes from: one API key, which belongs to one namespace. */
export interface Principal {
  readonly keyId: string;
  /** What the key's owner calls it. */
  readonly name: string;
  readonly namespace: string;
  readonly scopes: readonly Scope[];
}

import { expect } from 'chai';
import { WORKER_CODERS, workerCapabilities } from '#pipelines/beam/capabilities.ts';
import { coders } from '#pipelines/beam/sdk.ts';

/** How many others each standard coder is made of, where it is made of any. */
const PARTS: Readonly<Record<string, number>> = {
  'beam:coder:kv:v1': 2,
  'beam:coder:iterable:v1': 1,
  'beam:coder:nullable:v1': 1,
  'beam:coder:length_prefix:v1': 1,
  'beam:coder:windowed_value:v1': 2,
};

describe('what a worker says that it can do', () => {
  it('names only coders that it has', () => {
    const registry = coders.globalRegistry();
    for (const urn of WORKER_CODERS) {
      const parts = Array.from({ length: PARTS[urn] ?? 0 }, () => registry.getCoder('beam:coder:bytes:v1'));
      expect(() => registry.getCoder(urn, undefined, ...parts), urn).not.to.throw();
    }
  });

  it('says each thing once, and nothing of several cores for one process', () => {
    const capabilities = workerCapabilities();
    expect(new Set(capabilities).size).to.equal(capabilities.length);
    expect(capabilities).to.not.include('beam:protocol:multi_core_bundle_processing:v1');
  });
});

import { deserialize, serialize } from 'node:v8';
import type { StoredSubject } from '#infra/reconcile/compare-subject.ts';

/**
 * What is stored of a subject's day as it goes from the worker that read it to the one that compares it: whole numbers of any length, bytes and
 * what is absent come back as they were, which no coder of elements promises. Both workers are of one job, and so of one release.
 */
export const packStored = (stored: StoredSubject): Uint8Array => serialize(stored);

export const unpackStored = (packed: Uint8Array): StoredSubject => deserialize(packed) as StoredSubject;

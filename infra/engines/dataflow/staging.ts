import type { CallGoogle } from './google-api.ts';
import { GoogleApiError } from './google-api.ts';

const STORAGE = 'https://storage.googleapis.com';
const ALREADY_THERE = 412;

/** A place in Cloud Storage: `gs://bucket/folder`. */
export interface StoragePlace {
  readonly bucket: string;
  readonly path: string;
}

/** Without slashes at its ends; undefined when it is no place in Cloud Storage. */
export function parseStoragePlace(text: string): StoragePlace | undefined {
  const { bucket, path } =
    /^gs:\/\/(?<bucket>[a-z0-9][\w.-]{1,221})(?:\/(?<path>.*))?$/.exec(text)?.groups ?? {};
  return bucket === undefined ? undefined : { bucket, path: (path ?? '').replace(/^\/+|\/+$/g, '') };
}

/**
 * Writes a file whose name says what is in it, such as one with its digest: when it is there already it is the same, and stays.
 * Throws GoogleApiError.
 */
export async function stageFile(
  call: CallGoogle,
  { bucket, path }: StoragePlace,
  content: Uint8Array<ArrayBuffer>,
  endpoint = STORAGE,
): Promise<void> {
  const url = new URL(`/upload/storage/v1/b/${encodeURIComponent(bucket)}/o`, endpoint);
  url.searchParams.set('uploadType', 'media');
  url.searchParams.set('name', path);
  // Only where there is none: it also makes sending it twice harmless.
  url.searchParams.set('ifGenerationMatch', '0');
  try {
    await call({ method: 'POST', url, body: content });
  } catch (error) {
    if (!(error instanceof GoogleApiError) || error.status !== ALREADY_THERE) throw error;
  }
}

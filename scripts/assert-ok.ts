import { text } from 'node:stream/consumers';
import { lastJsonDocument } from './last-json-document.ts';

/** Reads what a run with `--json` printed and succeeds only if its document says `"ok": true`: for continuous integration. */
const output = await text(process.stdin);
const document = lastJsonDocument(output);
if (typeof document !== 'object' || document === null || !('ok' in document)) {
  console.error('the run printed no JSON document with an "ok" as its last output');
  process.exitCode = 1;
} else if (document.ok !== true) {
  console.error(`the run says that it is not ok: ${JSON.stringify(document)}`);
  process.exitCode = 1;
} else {
  console.log('the run says that it is ok');
}

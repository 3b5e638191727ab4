import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { withApi } from '#test/support/api-server.ts';
import { rejectionOf } from '#test/support/both-drivers.ts';
import { startPipeline } from '#test/support/pipeline-process.ts';
import { stepsOf } from '../../../scripts/tour/guide.ts';
import { fetchAsCurl } from '../../../scripts/tour/run-curl.ts';
import { takeTour } from '../../../scripts/tour/take-tour.ts';

const guideOf = (name: string) =>
  readFile(new URL(`../../../docs/guides/${name}.md`, import.meta.url), 'utf8');
const guide = await guideOf('tour');
const told = { log: () => undefined, error: () => undefined };

describe('the tour', () => {
  for (const name of ['tour', 'billing'])
    it(`is answered as its guide shows, also where there is no curl: ${name}`, () =>
      withApi(async ({ api, key, directory, cleanup }) => {
        const pipeline = startPipeline({ directory, worker: 'tour' });
        cleanup.defer(() => pipeline.kill());
        const differing: string[] = [];
        const variables = { MILLRACE_URL: api.url, MILLRACE_KEY: key };
        const teller = { ...told, error: (line: string) => differing.push(line) };
        const failed = await takeTour(stepsOf(await guideOf(name)), { run: fetchAsCurl, variables, teller });
        expect(differing).to.deep.equal([]);
        expect(failed).to.equal(0);
      }));

  it('begins with what the README shows, which works as it stands', () =>
    withApi(async ({ api, key }) => {
      const readme = await readFile(new URL('../../../README.md', import.meta.url), 'utf8');
      const commands = readme.match(/^curl (?:.*\\\n)*.*$/gm) ?? [];
      const statuses: number[] = [];
      for (const command of commands)
        statuses.push((await fetchAsCurl(command, { MILLRACE_URL: api.url, MILLRACE_KEY: key })).status);
      expect(statuses).to.deep.equal([201, 202, 200]);
    }));

  it('fails where the guide shows something else', async () => {
    const steps = stepsOf('```sh\ncurl -X PUT a\n```\n\n```json 200\n{ "a": 1 }\n```\n');
    const failures = (status: number, text: string) =>
      takeTour(steps, { run: () => Promise.resolve({ status, text }), variables: {}, teller: told });
    expect(await failures(200, '{"a":1}')).to.equal(0);
    expect(await failures(201, '{"a":1}')).to.equal(1);
    expect(await failures(200, '{"a":2}')).to.equal(1);
    expect(await failures(200, 'oops')).to.equal(1);
  });

  it('goes on with what the reader is to copy or compute', async () => {
    const asked: string[] = [];
    const take = (shown: string, set: string) =>
      takeTour(
        stepsOf(`\`\`\`sh\ncurl -X PUT a\n\`\`\`\n\n\`\`\`json 200\n${shown}\n\`\`\`\n\n\`\`\`sh\n${set}\n\`\`\`\n
\`\`\`sh\ncurl -o a.pdf b\n\`\`\`\n\n\`\`\`file 200\n%PDF\n\`\`\`\n`),
        {
          run: (command, { MADE = '' }) => {
            asked.push(MADE);
            const text = command.includes('PUT') ? '{"made":{"id":"7"},"id":"8"}' : '%PDF-1.7';
            return Promise.resolve({ status: 200, text });
          },
          variables: {},
          teller: told,
        },
      );
    expect(await take('{ "made": { "id": "…" } }', 'export MADE=…')).to.equal(0);
    expect(await take('{ "made": {} }', "export MADE=$(node -p '6 * 7')")).to.equal(0);
    expect(asked).to.deep.equal(['', '7', '', '42']);
    for (const [shown, set] of [
      ['{ "made": { "id": "…" }, "id": "…" }', 'export MADE=…'],
      ['{ "made": { "id": "7" } }', 'export MADE=…'],
      ['{ "id": "…" }', 'export MADE=$(date)'],
    ] as const)
      expect(await rejectionOf(take(shown, set)), set).to.be.instanceOf(Error);
  });
});

describe('a guide', () => {
  it('is read step by step, with its headings', () => {
    const steps = stepsOf(guide);
    expect(steps.length).to.be.greaterThan(10);
    expect(new Set(steps.map(({ chapter }) => chapter)).size).to.be.greaterThan(5);
    for (const step of steps) {
      if (step.kind === 'setting') continue;
      expect(step.command).to.match(/^curl -sS /);
      expect(step.status).to.be.within(200, 599);
    }
  });

  it('that shows a command without an answer, or an answer without a command, is refused', () => {
    const [command, answer] = ['```sh\ncurl a\n```\n', '```json 200\n{}\n```\n'];
    expect(stepsOf(command + answer)).to.have.length(1);
    for (const wrong of [command, answer, command + command + answer, command + answer + answer])
      expect(() => stepsOf(wrong)).to.throw('the guide shows');
    expect(() => stepsOf(`${command}\`\`\`text\nx\n\`\`\`\n`)).to.throw('as text');
  });
});

import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { withApi } from '#test/support/api-server.ts';
import { startPipeline } from '#test/support/pipeline-process.ts';
import { stepsOf } from '../../../scripts/tour/guide.ts';
import { fetchAsCurl } from '../../../scripts/tour/run-curl.ts';
import { takeTour } from '../../../scripts/tour/take-tour.ts';

const guide = await readFile(new URL('../../../docs/guides/tour.md', import.meta.url), 'utf8');
const told = { log: () => undefined, error: () => undefined };

describe('the tour', () => {
  it('is answered as its guide shows, also where there is no curl', () =>
    withApi(async ({ api, key, directory, cleanup }) => {
      const pipeline = startPipeline({ directory, worker: 'tour' });
      cleanup.defer(() => pipeline.kill());
      const differing: string[] = [];
      const variables = { MILLRACE_URL: api.url, MILLRACE_KEY: key };
      const run = (command: string) => fetchAsCurl(command, variables);
      const failed = await takeTour(stepsOf(guide), run, { ...told, error: (line) => differing.push(line) });
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
    const answer = (status: number, text: string) => () => Promise.resolve({ status, text });
    expect(await takeTour(steps, answer(200, '{"a":1}'), told)).to.equal(0);
    expect(await takeTour(steps, answer(201, '{"a":1}'), told)).to.equal(1);
    expect(await takeTour(steps, answer(200, '{"a":2}'), told)).to.equal(1);
    expect(await takeTour(steps, answer(200, 'oops'), told)).to.equal(1);
  });
});

describe('a guide', () => {
  it('is read step by step, with its headings', () => {
    const steps = stepsOf(guide);
    expect(steps.length).to.be.greaterThan(10);
    expect(new Set(steps.map(({ chapter }) => chapter)).size).to.be.greaterThan(5);
    for (const { command, status } of steps) {
      expect(command).to.match(/^curl -sS /);
      expect(status).to.be.within(200, 599);
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

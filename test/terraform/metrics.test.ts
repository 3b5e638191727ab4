import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const read = (file: string): string => readFileSync(join(import.meta.dirname, '../..', file), 'utf8');

/** A histogram is asked for by its series. */
const metricsIn = (text: string): string[] => [
  ...new Set(
    [...text.matchAll(/\bmillrace_[a-z_]+/g)].map(([name]) => name.replace(/_(?:bucket|count|sum)$/, '')),
  ),
];

describe('the metrics that alerts and charts are made of', () => {
  it('are all explained in docs/metrics.md', () => {
    const page = read('docs/metrics.md');
    const isExplained = (name: string): boolean =>
      page.includes(`\`${name}\``) || page.includes(`\`${name.replace(/^millrace_usage_/, '')}\``);
    const used = metricsIn(
      ['infra/telemetry/service-levels.json', 'watches.tf', 'dashboard.tf']
        .map((file) => read(file.endsWith('.tf') ? `terraform/modules/monitoring/${file}` : file))
        .join('\n'),
    );
    expect(used).to.include.members([
      'millrace_usage_accepted_total',
      'millrace_http_request_duration_seconds',
    ]);
    expect(used.filter((name) => !isExplained(name))).to.deep.equal([]);
  });
});

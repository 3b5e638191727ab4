import { SERVICE_LEVELS, type ServiceLevel } from '#infra/telemetry/service-levels.ts';

/** `docs/service-levels.md`: what is promised, and which metrics say whether it is kept. */
export const serviceLevelsPage = (): string =>
  [
    '# Service levels',
    '',
    'What this platform promises of itself. Alerts burn by these numbers, the dashboard and `npm run observe` show them. Made by `npm run generate` from',
    '`infra/telemetry/service-levels.json`.',
    '',
    '| level | objective | over | good is |',
    '|---|---|---|---|',
    ...SERVICE_LEVELS.map(
      (level) =>
        `| **${level.title}** (\`${level.id}\`) | ${percent(level.objective)} | ${level.windowDays} days | ${level.description} ${measuredBy(level)} |`,
    ),
    '',
    'An objective of 99.9 % over 28 days leaves an error budget of 0.1 %: 40 minutes of full outage, or one request in a thousand. An alert comes when the',
    'budget burns so fast that it would not last ([alerts](runbooks/alerts.md)).',
    '',
  ].join('\n');

/** The objective as it is written, so that no digit comes from a double. */
function percent(objective: number): string {
  const [, decimals = ''] = String(objective).split('.');
  const digits = decimals.padEnd(2, '0');
  const rest = digits.slice(2).replace(/0+$/, '');
  return `${Number(digits.slice(0, 2))}${rest === '' ? '' : `.${rest}`} %`;
}

function measuredBy({ indicator }: ServiceLevel): string {
  if (indicator.kind === 'ratio') return `Counted by \`${indicator.total.metric}\`.`;
  return `Counted by \`${indicator.metric}\` up to ${indicator.atMost} s.`;
}

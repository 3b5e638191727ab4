import { expect } from 'chai';
import { spannerDdl } from '#infra/database/spanner/ddl.ts';
import { column, commitTime, defineTable, jsonColumn, nullable } from '#infra/database/table.ts';

const child = defineTable('invoice_line', {
  columns: {
    invoice: column('string'),
    line: column('int64'),
    working: jsonColumn<object>(),
    code: nullable('string'),
  },
  key: ['invoice', 'line'],
  interleavedIn: 'invoice',
  indexes: { byCode: { columns: ['code'], unique: true } },
});

const parent = defineTable('invoice', {
  columns: {
    invoice: column('string'),
    paid: column('bool'),
    digest: nullable('hash'),
    pdf: column('bytes'),
    issuedAt: column('timestamp'),
    committedAt: commitTime(),
  },
  key: ['invoice'],
  indexes: {
    byTime: { columns: ['paid', 'issuedAt'] },
    byDigest: { columns: ['invoice', 'paid'], unique: true },
  },
  timeToLive: { column: 'committedAt', days: 53, unit: 'micros' },
});

const hours = defineTable('usage_hour', {
  columns: { hour: column('int64'), group: column('string') },
  key: ['hour', 'group'],
  timeToLive: { column: 'hour', days: 400, unit: 'hours' },
  layout: { kind: 'partitioned', by: 'hour' },
});

const days = defineTable('distinct_value', {
  columns: { day: nullable('int64'), value: column('hash') },
  key: ['value'],
  timeToLive: { column: 'day', days: 30, unit: 'days' },
  layout: { kind: 'appendOnly' },
});

const golden = `CREATE TABLE IF NOT EXISTS \`invoice\` (
  \`invoice\` STRING(MAX) NOT NULL,
  \`paid\` BOOL NOT NULL,
  \`digest\` BYTES(16),
  \`pdf\` BYTES(MAX) NOT NULL,
  \`issuedAt\` TIMESTAMP NOT NULL,
  \`committedAt\` TIMESTAMP NOT NULL OPTIONS (allow_commit_timestamp = true),
) PRIMARY KEY (\`invoice\`),
  ROW DELETION POLICY (OLDER_THAN(\`committedAt\`, INTERVAL 53 DAY));
CREATE INDEX IF NOT EXISTS \`invoice_byTime\` ON \`invoice\` (\`paid\`, \`issuedAt\`);
CREATE UNIQUE INDEX IF NOT EXISTS \`invoice_byDigest\` ON \`invoice\` (\`invoice\`, \`paid\`);
CREATE TABLE IF NOT EXISTS \`invoice_line\` (
  \`invoice\` STRING(MAX) NOT NULL,
  \`line\` INT64 NOT NULL,
  \`working\` STRING(MAX) NOT NULL,
  \`code\` STRING(MAX),
) PRIMARY KEY (\`invoice\`, \`line\`),
  INTERLEAVE IN PARENT \`invoice\` ON DELETE NO ACTION;
CREATE UNIQUE NULL_FILTERED INDEX IF NOT EXISTS \`invoice_line_byCode\` ON \`invoice_line\` (\`code\`);
CREATE TABLE IF NOT EXISTS \`usage_hour\` (
  \`hour\` INT64 NOT NULL,
  \`group\` STRING(MAX) NOT NULL,
  \`hourStart\` TIMESTAMP AS (TIMESTAMP_SECONDS(\`hour\` * 3600)) STORED,
) PRIMARY KEY (\`hour\`, \`group\`),
  ROW DELETION POLICY (OLDER_THAN(\`hourStart\`, INTERVAL 400 DAY));
CREATE TABLE IF NOT EXISTS \`distinct_value\` (
  \`day\` INT64,
  \`value\` BYTES(16) NOT NULL,
  \`dayStart\` TIMESTAMP AS (TIMESTAMP_SECONDS(\`day\` * 86400)) STORED,
) PRIMARY KEY (\`value\`),
  ROW DELETION POLICY (OLDER_THAN(\`dayStart\`, INTERVAL 30 DAY));`;

describe('the DDL for Spanner', () => {
  it('says what the declarations say: types, nulls, keys, interleaving, indexes and deletion policies', () => {
    const text = spannerDdl([child, parent, hours, days]).map((statement) => `${statement};`);
    expect(text.join('\n')).to.equal(golden);
  });

  it('refuses a table that is interleaved in one that is not declared', () => {
    expect(() => spannerDdl([child])).to.throw(
      'invoice_line is interleaved in invoice, which is not declared',
    );
  });
});

describe('the DDL for a database that has some of it', () => {
  const columns = (...names: string[]) => new Set(names);
  const days365 = [days, hours];

  it('adds tables, indexes and columns that may be null', () => {
    const existing = {
      columns: new Map([
        ['usage_hour', columns('hour', 'group', 'hourStart')],
        ['invoice', columns('invoice', 'paid', 'pdf', 'issuedAt', 'committedAt')],
        ['invoice_line', columns('invoice', 'line', 'working', 'code')],
      ]),
      indexes: columns('invoice_byTime'),
    };
    const statements = spannerDdl([child, parent, ...days365], existing);
    expect(statements.slice(0, 3)).to.deep.equal([
      'ALTER TABLE `invoice` ADD COLUMN IF NOT EXISTS `digest` BYTES(16)',
      'CREATE UNIQUE INDEX IF NOT EXISTS `invoice_byDigest` ON `invoice` (`invoice`, `paid`)',
      'CREATE UNIQUE NULL_FILTERED INDEX IF NOT EXISTS `invoice_line_byCode` ON `invoice_line` (`code`)',
    ]);
    expect(statements).to.have.length(4);
    expect(statements[3]).to.match(/^CREATE TABLE IF NOT EXISTS `distinct_value`/);
  });

  it('refuses a column that older rows would have nothing in', () => {
    const existing = { columns: new Map([['usage_hour', columns('hour')]]), indexes: columns() };
    expect(() => spannerDdl([hours], existing)).to.throw('table usage_hour lacks its column group');
  });
});

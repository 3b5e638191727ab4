import { expect } from 'chai';
import { EVENT_TYPES_WITH_SCHEMA_MAX } from '#domain/limits.ts';
import { compileSchema, schemaViolations } from '#infra/catalogue/compile-schema.ts';
import { CatalogueError } from '#infra/catalogue/errors.ts';
import { listEventTypes, putEventType, readEventType } from '#infra/catalogue/event-types.ts';
import { loadCatalogue } from '#infra/catalogue/load-catalogue.ts';
import { CATALOGUE_TABLES, eventType } from '#infra/catalogue/tables.ts';
import type { Database } from '#infra/database/database.ts';
import { onBothDrivers, rejectionOf } from '#test/support/both-drivers.ts';

const NAMESPACE = 'default';
const object = (properties: object, more: object = {}): object => ({ type: 'object', properties, ...more });
const put = async (
  database: Database,
  schema: unknown,
  { type = 'use', enforce = 'reject' }: { type?: string; enforce?: 'reject' | 'report' } = {},
) =>
  (await database.transact((tx) => putEventType(tx, { namespace: NAMESPACE, type, schema, enforce }))).result;
const codes = (schema: unknown): string[] =>
  schemaViolations(schema).map(({ pointer, code }) => `${pointer} ${code}`);
const check = (schema: object, data: unknown): readonly string[] =>
  compileSchema(JSON.stringify(schema))(typeof data === 'string' ? data : JSON.stringify(data));

describe('event types', () => {
  onBothDrivers(CATALOGUE_TABLES, (test) => {
    test('raise the catalogue’s version with each change, so that commits judge by what was saved before them', async (database) => {
      const schema = object({ tokens: { type: 'integer' } });
      const saved = await put(database, schema);
      expect(saved).to.deep.equal({
        change: 'created',
        eventType: { namespace: NAMESPACE, type: 'use', version: 1, schema, enforce: 'reject', since: 1 },
      });
      const loaded = await loadCatalogue(database, NAMESPACE);
      expect(loaded.row.version).to.equal(1);
      expect(loaded.schemaOf('use')?.enforce).to.equal('reject');
      expect(loaded.schemaOf('use')?.validate('{"tokens":1.5}')).to.deep.equal([
        'data/tokens must be integer',
      ]);
      expect(loaded.schemaOf('use')?.validate('{"tokens":15}')).to.deep.equal([]);
      expect(loaded.schemaOf('other')).to.equal(undefined);
      expect((await put(database, schema)).change).to.equal('unchanged');
      expect((await put(database, schema, { enforce: 'report' })).eventType).to.include({
        version: 2,
        since: 2,
      });
      expect((await put(database, null)).change).to.equal('updated');
      expect((await loadCatalogue(database, NAMESPACE)).schemaOf('use')).to.equal(undefined);
      expect(await readEventType(database, NAMESPACE, 'use')).to.include({ schema: null, version: 3 });
    });

    test('are listed by name, by pages', async (database) => {
      for (const type of ['b', 'a', 'c']) await put(database, null, { type });
      const first = await listEventTypes(database, NAMESPACE, { limit: 2 });
      const rest = await listEventTypes(database, NAMESPACE, { limit: 2, after: 'b' });
      expect([...first, ...rest].map(({ type }) => type)).to.deep.equal(['a', 'b', 'c']);
    });

    test('are refused with every violation named, and nothing is saved', async (database) => {
      const schema = object({ a: { type: 'text' } }, { unevaluatedProperties: false });
      const error = await rejectionOf(put(database, schema, { type: '' }));
      expect(error).to.be.instanceOf(CatalogueError);
      const { code, violations } = error as CatalogueError;
      expect(code).to.equal('invalid_event_type');
      expect(violations.map(({ pointer }) => pointer)).to.deep.equal([
        '',
        '/schema/unevaluatedProperties',
        '/schema/properties/a/type',
      ]);
      expect((await loadCatalogue(database, NAMESPACE)).row.version).to.equal(0);
    });

    test('are at most a thousand in a namespace', async (database) => {
      const row = {
        namespace: NAMESPACE,
        version: 1,
        schema: null,
        enforce: 'report',
        since: 1,
        committedAt: 1,
      };
      await database.transact(async (tx) => {
        for (let each = 0; each < EVENT_TYPES_WITH_SCHEMA_MAX; each++)
          tx.insert(eventType, { ...row, type: `t-${each}` });
      });
      const error = await rejectionOf(put(database, null));
      expect(error).to.have.property('code', 'too_many_event_types');
      await put(database, null, { type: 't-7' });
    });
  });
});

describe('a schema', () => {
  it('may use the keywords of 2020-12 that are bounded, and is refused for others', () => {
    expect(
      codes({
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        title: 'Use',
        $defs: { 'a/b': { type: 'string', minLength: 1 } },
        ...object({
          model: { $ref: '#/$defs/a~1b' },
          at: { format: 'date-time' },
          tags: { uniqueItems: true },
        }),
        required: ['model'],
        if: { required: ['tags'] },
        then: { properties: { tags: { type: 'array', prefixItems: [{ const: 'x' }] } } },
      }),
    ).to.deep.equal([]);
    expect(codes({ $id: 'http://x', $dynamicRef: '#a', unevaluatedItems: false, made_up: 1 })).to.deep.equal([
      '/$id unsupported_keyword',
      '/$dynamicRef unsupported_keyword',
      '/unevaluatedItems unsupported_keyword',
      '/made_up unsupported_keyword',
    ]);
    expect(codes(true)).to.deep.equal([' invalid_schema']);
    expect(codes({ $schema: 'http://json-schema.org/draft-07/schema#' })).to.include(
      '/$schema unsupported_dialect',
    );
    expect(codes({ format: 'regex' })).to.deep.equal(['/format unsupported_format']);
    expect(codes({ type: 'integer', minimum: '3' })).to.deep.equal(['/minimum invalid_schema']);
  });

  it('refers to its own definitions only, and never in circles', () => {
    for (const $ref of [
      'http://example.com/s',
      'other.json',
      '#/properties/a',
      '#/$defs/none',
      '#/$defs/%zz',
    ])
      expect(codes({ $ref, properties: { a: {} } }), $ref).to.deep.equal(['/$ref unknown_ref']);
    expect(codes({ $ref: '#' })).to.deep.equal([' recursive_ref']);
    expect(
      codes({
        $ref: '#/$defs/a',
        $defs: { a: { items: { $ref: '#/$defs/b' } }, b: { not: { $ref: '#/$defs/a' } } },
      }),
    ).to.deep.equal([' recursive_ref']);
  });

  it('cannot be made to cost more than its size shows', () => {
    const doubling = Object.fromEntries(
      Array.from({ length: 40 }, (_, n) => [
        `d${n}`,
        { anyOf: [{ $ref: `#/$defs/d${n + 1}` }, { $ref: `#/$defs/d${n + 1}` }] },
      ]),
    );
    expect(codes({ $ref: '#/$defs/d0', $defs: { ...doubling, d40: { type: 'string' } } })).to.deep.equal([
      ' too_many_keywords',
    ]);
    expect(codes({ enum: Array.from({ length: 501 }, (_, n) => n) })).to.deep.equal([' too_many_keywords']);
    expect(codes({ description: 'x'.repeat(17_000) })).to.deep.equal([' too_large']);
    let deep: object = {};
    for (let level = 0; level < 40; level++) deep = { not: deep };
    expect(codes(deep)).to.deep.equal([' too_deep']);
  });

  it('has patterns that are matched in linear time; others are refused when it is saved', () => {
    for (const pattern of ['(?=a)b', '(a)\\1', '[', 'a{1001}', '(([a-z]{1,100}){1,10})', 'x'.repeat(257)])
      expect(codes({ type: 'string', pattern }), pattern).to.deep.equal(['/pattern unsupported_pattern']);
    expect(codes({ patternProperties: { '(?!x)': {} } })).to.deep.equal([
      '/patternProperties/(?!x) unsupported_pattern',
    ]);
    // A backtracking matcher would be at this for longer than the universe is old.
    const evil = object({ text: { type: 'string', pattern: '^(a+)+$' } });
    expect(check(evil, { text: `${'a'.repeat(50_000)}!` })).to.deep.equal([
      'data/text must match pattern "^(a+)+$"',
    ]);
    expect(check(evil, { text: 'a'.repeat(50_000) })).to.deep.equal([]);
  });

  it('judges unique items in one pass, whatever the order of their members', () => {
    const unique = { type: 'array', uniqueItems: true };
    const items = Array.from({ length: 10_000 }, (_, n) => ({ n }));
    expect(check(unique, items)).to.deep.equal([]);
    expect(check(unique, [...items, { n: 7 }])).to.deep.equal(['data must not have duplicate items']);
    expect(check({ uniqueItems: false }, [1, 1])).to.deep.equal([]);
  });

  it('does not take for a member what every object inherits', () => {
    const schema = object(
      { toString: { type: 'string' } },
      { required: ['constructor'], additionalProperties: false },
    );
    expect(check(schema, '{}')).to.deep.equal(["data must have required property 'constructor'"]);
    expect(check(schema, '{"constructor":1}')).to.deep.equal([
      'data must NOT have additional properties ("constructor")',
    ]);
    expect(check(object({}, { additionalProperties: false }), '{"__proto__":1}')).to.have.length(1);
  });

  it('tells the first few violations only, however wrong the data is', () => {
    const schema = { type: 'array', items: { type: 'string' } };
    expect(check(schema, [1, 2, 3])).to.have.length(3);
    expect(
      check(
        schema,
        Array.from({ length: 900 }, () => 1),
      ),
    ).to.have.length(5);
    expect(
      check(
        schema,
        Array.from({ length: 20_000 }, () => 1),
      ),
    ).to.have.length(1);
    const [long] = check(object({ ['😀'.repeat(200)]: false }), { ['😀'.repeat(200)]: 1 });
    expect(long?.length).to.be.at.most(201);
    expect(long?.isWellFormed()).to.equal(true);
  });

  it('compares numbers as doubles, and multiples as decimals', () => {
    expect(check({ const: 9007199254740993 }, '9007199254740992')).to.deep.equal([]);
    expect(check({ type: 'number', multipleOf: 0.1 }, '0.3')).to.deep.equal([]);
    expect(check({ type: 'number', multipleOf: 0.1 }, '0.35')).to.have.length(1);
  });
});

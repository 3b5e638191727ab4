import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SCOPES } from '#domain/access/scope.ts';
import { createKeyRing } from '#infra/access/key-ring.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { inLocalDirectory, openStores } from '#test/support/local-stores.ts';
import { keysCommand } from '../../../scripts/operator/keys-command.ts';
import { invocation, type RecordedTerminal } from './recorded-terminal.ts';

interface Operator {
  readonly directory: string;
  keys(...args: readonly string[]): Promise<RecordedTerminal>;
  /** What the command says when it fails. */
  refused(...args: readonly string[]): Promise<string>;
  principalOf(secret: string): Promise<unknown>;
}

/** A directory in which the platform was started before. */
const withOperator = (test: (operator: Operator) => Promise<void>): Promise<void> =>
  inLocalDirectory(async (directory, cleanup) => {
    const stores = await openStores(directory);
    cleanup.defer(() => stores.close());
    const keys = async (...args: readonly string[]): Promise<RecordedTerminal> => {
      const called = invocation(directory, args);
      await keysCommand(called);
      return called.terminal;
    };
    await test({
      directory,
      keys,
      refused: (...args) =>
        keys(...args).then(
          () => 'it was not refused',
          (error: unknown) => String(error),
        ),
      principalOf: async (secret) =>
        createKeyRing(stores.database).authenticate(secret, systemScheduler.now()),
    });
  });

describe('npm run keys', () => {
  it('makes the first key of a namespace, and prints nothing but its secret where it can be piped on', () =>
    withOperator(async ({ keys, principalOf }) => {
      const made = await keys('create', '--namespace', 'shop', '--scopes', 'events:write, usage:read');
      const secret = made.written().trimEnd();
      expect(secret).to.match(/^mr_live_\S+$/);
      expect(made.noted()).not.to.include(secret);
      expect(await principalOf(secret)).to.deep.include({
        namespace: 'shop',
        name: 'operator',
        scopes: ['events:write', 'usage:read'],
      });
    }));

  it('makes a key of all scopes that ends by itself', () =>
    withOperator(async ({ keys, principalOf }) => {
      const made = await keys(
        ...['create', '--namespace', 'default', '--scopes', 'all', '--expires-in-days', '1', '--name', 'ci'],
      );
      expect(await principalOf(made.written().trim())).to.deep.include({ scopes: [...SCOPES], name: 'ci' });
      expect((await keys('list', '--namespace', 'default')).written()).to.match(/valid until .* ci$/m);
    }));

  it('lists the keys of one namespace only, without secrets, also beyond a page', () =>
    withOperator(async ({ keys }) => {
      const secrets: string[] = [];
      for (let i = 0; i < 205; i++)
        secrets.push(
          (await keys('create', '--namespace', 'shop', '--scopes', 'usage:read')).written().trim(),
        );
      await keys('create', '--namespace', 'default', '--scopes', 'all');
      const listed = (await keys('list', '--namespace', 'shop')).written();
      expect(listed.trimEnd().split('\n')).to.have.length(205);
      for (const secret of secrets) expect(listed).not.to.include(secret);
    }));

  it('revokes a key by its id', () =>
    withOperator(async ({ keys, principalOf, refused }) => {
      const secret = (await keys('create', '--namespace', 'shop', '--scopes', 'all')).written().trim();
      const [id = ''] = (await keys('list', '--namespace', 'shop')).written().split('  ');
      expect(await refused('revoke', '--namespace', 'default', '--id', id)).to.include('there is no API key');
      await keys('revoke', '--namespace', 'shop', '--id', id);
      expect(await principalOf(secret)).to.equal(undefined);
      expect((await keys('list', '--namespace', 'shop')).written()).to.include('revoked 20');
    }));

  it('says what is wrong with how it was called', () =>
    withOperator(async ({ refused }) => {
      expect(await refused()).to.include('one command is needed: create, list, revoke');
      expect(await refused('constructor')).to.include('one command is needed');
      expect(await refused('list')).to.include('--namespace is missing');
      expect(await refused('list', '--namespace', 'A B')).to.include('"A B" does not match');
      expect(await refused('list', '--nomspace', 'x')).to.include('--nomspace');
      expect(await refused('create', '--namespace', 'shop')).to.include('--scopes is missing');
      expect(await refused('create', '--namespace', 'shop', '--scopes', 'root')).to.include(
        'is one of events:write',
      );
      expect(
        await refused('create', '--namespace', 'shop', '--scopes', 'all', '--expires-in-days', '1e3'),
      ).to.include('whole number');
      expect(await refused('revoke', '--namespace', 'shop')).to.include('--id is missing');
    }));

  it('makes no data where there is none', () =>
    inLocalDirectory(async (directory) => {
      const elsewhere = join(directory, 'elsewhere');
      const failed = await keysCommand(invocation(elsewhere, ['list', '--namespace', 'default'])).then(
        () => '',
        String,
      );
      expect(failed).to.include(`there is no data in ${elsewhere}`);
      expect(existsSync(elsewhere)).to.equal(false);
    }));

  it('explains itself', () =>
    withOperator(async ({ keys }) => {
      expect((await keys('--help')).written()).to.include('npm run keys --');
    }));
});

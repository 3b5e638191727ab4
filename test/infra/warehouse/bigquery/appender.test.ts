import { expect } from 'chai';
import { status } from '@grpc/grpc-js';
import {
  ANSWER_DEADLINE_MS,
  APPEND_ATTEMPTS_MAX,
  createAppender,
  REQUESTS_AT_ONCE_MAX,
  type Appender,
} from '#infra/warehouse/bigquery/append/appender.ts';
import { putEvent } from '#infra/warehouse/bigquery/append/event-message.ts';
import { REQUEST_ROWS_MAX } from '#infra/warehouse/bigquery/append/requests.ts';
import { connectAppends, type WriteClient } from '#infra/warehouse/bigquery/connection.ts';
import { RowRefused, WarehouseUnavailable } from '#infra/warehouse/errors.ts';
import type { EventRow } from '#infra/warehouse/event-row.ts';
import { EVENTS } from '#infra/warehouse/tables.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import { eventRow, failureOf } from '#test/contract/warehouse/rows.ts';
import { eventually } from '#test/support/eventually.ts';
import { startFakeWriteServer, type FakeWriteServer } from './fake-write-server.ts';

const ID_FIELD = 1 + EVENTS.columns.findIndex(({ name }) => name === 'id');

/** Waits between tries pass at once; a deadline only when it is told to. */
function manualScheduler(): Scheduler & { deadline(): void } {
  let pass = (): void => undefined;
  return {
    now: () => 0,
    sleep: (milliseconds, signal) =>
      milliseconds === ANSWER_DEADLINE_MS
        ? new Promise((resolve) => {
            pass = resolve;
            signal?.addEventListener('abort', () => resolve(), { once: true });
          })
        : Promise.resolve(),
    deadline: () => pass(),
  };
}

describe('appends to BigQuery', () => {
  let fake: FakeWriteServer;
  let client: WriteClient;
  let appender: Appender;
  let scheduler: ReturnType<typeof manualScheduler>;

  beforeEach(async () => {
    fake = await startFakeWriteServer();
    client = connectAppends({
      projectId: 'project',
      dataset: 'dataset',
      emulator: { rest: 'http://127.0.0.1:1', grpcHost: '127.0.0.1', grpcPort: fake.port },
    });
    scheduler = manualScheduler();
    appender = createAppender({
      client,
      projectId: 'project',
      dataset: 'dataset',
      table: EVENTS,
      scheduler,
      random: () => 1,
    });
  });

  afterEach(async () => {
    await appender.close();
    await client.close();
    fake.close();
  });

  const append = (...ids: string[]): Promise<void> =>
    appender.append<EventRow>(
      putEvent,
      ids.map((id) => eventRow(id)),
    );
  const taken = (): unknown[] => fake.rows.map((row) => row.get(ID_FIELD)?.[0]);

  it('send the rows in their order over one connection, however many calls there are', async () => {
    await append('a', 'b');
    await Promise.all([append('c'), append('d'), append('e')]);
    expect(taken()).to.have.members(['a', 'b', 'c', 'd', 'e']);
    expect(taken().slice(0, 2)).to.deep.equal(['a', 'b']);
    expect(fake.streams.opened).to.equal(1);
  });

  it('of nothing do nothing', async () => {
    await append();
    expect(fake.requests).to.deep.equal([]);
    expect(fake.streams.opened).to.equal(0);
  });

  it('refused by BigQuery name the row of the call, whichever request it went in', async () => {
    fake.fates = ['taken', { refusedRows: [1] }];
    const ids = Array.from({ length: REQUEST_ROWS_MAX + 3 }, (_, index) => `e-${index}`);
    const error = await failureOf(append(...ids));
    expect(error).to.be.instanceOf(RowRefused);
    expect(error).to.include({
      table: 'events',
      rowIndex: REQUEST_ROWS_MAX + 1,
      reason: 'rejected_by_store',
    });
    expect(fake.requests).to.have.length(2);
    await append('after');
    expect(taken().at(-1)).to.equal('after');
  });

  it('are tried again, over a new connection where the old one broke, while the service is unavailable', async () => {
    fake.fates = [{ breaks: status.UNAVAILABLE }, { answer: status.INTERNAL }, 'stream closed'];
    await append('a');
    expect(taken()).to.deep.equal(['a']);
    expect(fake.requests).to.have.length(4);
    // An answer that says no leaves the connection as it is.
    expect(fake.streams.opened).to.equal(3);
  });

  it('whose answer is lost are sent again: a row may be there twice, and is there', async () => {
    fake.fates = ['answer lost'];
    await append('a');
    expect(taken()).to.deep.equal(['a', 'a']);
  });

  it('that are never answered are given up after a while and sent again', async () => {
    fake.fates = ['silence'];
    const request = fake.nextRequest();
    const appended = append('a');
    await request;
    scheduler.deadline();
    await appended;
    expect(taken()).to.deep.equal(['a', 'a']);
    expect(fake.streams.opened).to.equal(2);
  });

  it('share a broken connection and are all sent again', async () => {
    await append('first');
    const { kept, letGo } = fake.hold();
    const appended = Promise.all([append('a'), append('b'), append('c')]);
    await eventually('all three are on their way', () => kept() === 3);
    fake.fates = [{ breaks: status.ABORTED }];
    letGo();
    await appended;
    expect(new Set(taken())).to.deep.equal(new Set(['first', 'a', 'b', 'c']));
    expect(fake.streams.opened).to.equal(2);
  });

  it('outlive a connection that the service ended while it was idle', async () => {
    await append('a');
    fake.breakStreams(status.ABORTED);
    await eventually('the connection has ended', () => fake.streams.open === 0);
    await append('b');
    expect(taken()).to.deep.equal(['a', 'b']);
  });

  it('fail with WarehouseUnavailable when the service stays away, after a bounded number of tries', async () => {
    fake.fates = Array.from({ length: APPEND_ATTEMPTS_MAX }, () => ({ breaks: status.UNAVAILABLE }));
    expect(await failureOf(append('a'))).to.be.instanceOf(WarehouseUnavailable);
    expect(fake.requests).to.have.length(APPEND_ATTEMPTS_MAX);
    await append('b');
    expect(taken()).to.deep.equal(['b']);
  });

  it('that the table cannot take are the table’s trouble, not the row’s, and are not tried again', async () => {
    for (const code of [status.INVALID_ARGUMENT, status.NOT_FOUND, status.PERMISSION_DENIED]) {
      fake.fates = [{ answer: code }];
      const before = fake.requests.length;
      expect(await failureOf(append('a'))).to.be.instanceOf(WarehouseUnavailable);
      expect(fake.requests).to.have.length(before + 1);
    }
  });

  it('wait their turn when many are on their way', async () => {
    await append('first');
    const { kept, letGo } = fake.hold();
    const ids = Array.from({ length: 3 * REQUESTS_AT_ONCE_MAX }, (_, index) => `e-${index}`);
    const appended = Promise.all(ids.map((id) => append(id)));
    await eventually('as many as may are on their way', () => kept() === REQUESTS_AT_ONCE_MAX);
    letGo();
    await appended;
    expect(new Set(taken())).to.deep.equal(new Set(['first', ...ids]));
  });

  it('are finished before it is closed, and refused afterwards', async () => {
    await append('first');
    const { kept, letGo } = fake.hold();
    const appended = append('a');
    await eventually('it is on its way', () => kept() === 1);
    const closed = appender.close();
    letGo();
    await Promise.all([appended, closed]);
    expect(taken()).to.deep.equal(['first', 'a']);
    expect(await failureOf(append('late'))).to.be.instanceOf(WarehouseUnavailable);
  });
});

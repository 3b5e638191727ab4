import { expect } from 'chai';
import { status } from '@grpc/grpc-js';
import { AlreadyExists } from '#infra/database/errors.ts';
import {
  isAborted,
  isAbortedRead,
  toCommitError,
  toStoreError,
} from '#infra/database/spanner/status-code.ts';

const failure = (code: status, message = 'no reason'): Error =>
  Object.assign(new Error(`${code} ${status[code]}: ${message}`), { code });
const kindOf = (code: status, message?: string): string => toStoreError(failure(code, message), 'db').kind;
const kindOfCommit = (code: status, message?: string): string =>
  toCommitError(failure(code, message), 'db').kind;

describe('an error of Spanner', () => {
  it('says that a key or an entry of a unique index is taken', () => {
    expect(kindOf(status.ALREADY_EXISTS, 'Row {String("a")} already exists.')).to.equal('AlreadyExists');
    expect(kindOf(status.ALREADY_EXISTS, 'UNIQUE violation on index t_b')).to.equal('AlreadyExists');
  });

  it('says that a row is missing only where it is one: not the table, a column, the database or a session', () => {
    expect(kindOf(status.NOT_FOUND, 'Table t: Row {Int64(1), String("x")} not found.')).to.equal('NotFound');
    expect(kindOf(status.NOT_FOUND, 'Row [a] in table t is missing. Row cannot be updated.')).to.equal(
      'NotFound',
    );
    for (const message of ['Table not found: t', 'Column not found in table t: c', 'Database not found: d'])
      expect(kindOf(status.NOT_FOUND, message)).to.equal('StoreFailure');
  });

  it('refuses a value only where it is in the closed list', () => {
    const size = 'New value exceeds the maximum size limit for this column: t.c, size: 2, limit: 1.';
    expect(kindOf(status.FAILED_PRECONDITION, size)).to.equal('RefusedValue');
    const key = 'Number of bytes for key of index t_c is 9000 which exceeds the maximum of 8192.';
    expect(kindOf(status.INVALID_ARGUMENT, key)).to.equal('RefusedValue');
    for (const code of [status.INVALID_ARGUMENT, status.FAILED_PRECONDITION, status.OUT_OF_RANGE])
      expect(kindOf(code, 'the database is in another mood')).to.equal('StoreFailure');
    expect(kindOf(status.INTERNAL, size)).to.equal('StoreFailure');
  });

  it('leaves the outcome of a commit unknown when its answer was lost, and of nothing else', () => {
    for (const code of [
      status.CANCELLED,
      status.UNKNOWN,
      status.DEADLINE_EXCEEDED,
      status.UNAVAILABLE,
      status.INTERNAL,
    ]) {
      expect(kindOfCommit(code)).to.equal('UnknownOutcome');
      expect(kindOf(code)).to.equal('StoreFailure');
    }
    for (const code of [status.PERMISSION_DENIED, status.RESOURCE_EXHAUSTED, status.UNAUTHENTICATED])
      expect(kindOfCommit(code)).to.equal('StoreFailure');
    expect(kindOfCommit(status.ALREADY_EXISTS)).to.equal('AlreadyExists');
  });

  it('has the transaction run again after an abort or a lost session, and after a broken read but not a broken commit', () => {
    expect(isAborted(failure(status.ABORTED))).to.equal(true);
    expect(isAborted(failure(status.NOT_FOUND, 'Session not found: s'))).to.equal(true);
    expect(isAborted(failure(status.NOT_FOUND, 'Row {} not found'))).to.equal(false);
    const broken = failure(status.INTERNAL, 'Received RST_STREAM with code 2');
    expect([isAbortedRead(broken), isAborted(broken)]).to.deep.equal([true, false]);
  });

  it('that is one of the port already stays as it is, and any other thing is a failing store', () => {
    const error = new AlreadyExists('taken');
    expect(toStoreError(error, 'db')).to.equal(error);
    expect(toStoreError(new TypeError('a bug'), 'db')).to.have.property('kind', 'StoreFailure');
    expect(toStoreError('a text', 'db').message).to.equal('db: a text');
  });
});

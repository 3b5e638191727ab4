import { expect } from 'chai';
import { DEAD_LETTER_REASONS } from '#domain/metering/dead-letter.ts';

describe('dead-letter reasons', () => {
  it('are the closed list of the contract', () => {
    expect(DEAD_LETTER_REASONS.join(', ')).to.equal(
      'malformed_json, not_an_event, attribute_missing, attribute_invalid, too_large, too_deep, value_missing, ' +
        'value_not_a_number, value_out_of_range, too_old, in_the_future, schema_violation, source_not_allowed, rejected_by_store',
    );
  });
});

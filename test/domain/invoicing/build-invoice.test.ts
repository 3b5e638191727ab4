import { expect } from 'chai';
import { buildInvoice } from '#domain/invoicing/build-invoice.ts';
import type { InvoiceContent } from '#domain/invoicing/invoice.ts';
import type { PlanCharge } from '#domain/plans/plan-version.ts';
import type { Price } from '#domain/pricing/charge.ts';
import {
  APRIL,
  MARCH,
  SELLER,
  at,
  billedOf,
  buyer,
  chargeOf,
  flat,
  groups,
  inputsOf,
  inputsOfItem,
  invoiceOf,
  itemOf,
  perUnit,
  quantity,
  span,
  subscriptionOf,
  used,
} from './invoice-builders.ts';
import { expectInvoice, expectInvoiceRecomputable, sum } from './recompute-invoice.ts';

const tiered: Price = {
  model: 'graduated',
  tiers: [
    { upTo: '1000', unitPrice: '0.10' },
    { upTo: null, unitPrice: '0.05' },
  ],
};
const tokens = chargeOf('tokens', tiered, { meter: 'tokens' });

describe('an invoice of usage', () => {
  it('that is billed as it comes goes on in its tiers: the parts of a month come to what the month does', () => {
    const item = itemOf('usage', tokens);
    const first = invoiceOf([used(item, quantity(800), { through: at('2026-04-10') })], {
      kind: 'threshold',
    });
    expectInvoice(first, ['usage | tokens | 80'], '80');
    const second = invoiceOf(
      [used(item, quantity(1500), { through: at('2026-04-20'), billed: billedOf(item.id, first) })],
      { kind: 'threshold' },
    );
    // 1,000 at 0.10 and 500 at 0.05 are 125.
    expectInvoice(second, ['usage | tokens | 125', 'billedBefore | tokens, billed before | -80'], '45');
    const last = invoiceOf([used(item, quantity(2000), { billed: billedOf(item.id, first, second) })]);
    expectInvoice(last, ['usage | tokens | 150', 'billedBefore | tokens, billed before | -125'], '25');
    expect(last.lines.map(({ period }) => period)).to.deep.equal([APRIL, span('2026-04-01', '2026-04-20')]);
  });

  it('says nothing again of what is billed and has not changed, but does of what a later invoice covers', () => {
    const item = itemOf('usage', tokens);
    const early = invoiceOf([used(item, quantity(800), { through: at('2026-04-10') })], {
      kind: 'threshold',
    });
    const whole = invoiceOf([used(item, quantity(800), { billed: billedOf(item.id, early) })]);
    expectInvoice(whole, ['usage | tokens | 80', 'billedBefore | tokens, billed before | -80'], '0');
    const again = invoiceOf([used(item, quantity(800), { billed: billedOf(item.id, early, whole) })]);
    expect(again.lines).to.deep.equal([]);
    expect(again.servicePeriod).to.deep.equal({ from: APRIL.to, to: APRIL.to });
  });

  it('has a minimum, and a fee in arrears, with the end of the period only; a volume price as far as it has come', () => {
    const volume: Price = {
      model: 'volume',
      tiers: [
        { upTo: '100', unitPrice: '2' },
        { upTo: null, unitPrice: '1' },
      ],
    };
    const item = itemOf('usage', chargeOf('tokens', volume, { meter: 'tokens', minimum: '150' }));
    const early = invoiceOf([used(item, quantity(60), { through: at('2026-04-10') })]);
    expectInvoice(early, ['usage | tokens | 120'], '120');
    const whole = invoiceOf([used(item, quantity(120), { billed: billedOf(item.id, early) })]);
    expectInvoice(
      whole,
      [
        'usage | tokens | 120',
        'minimum | tokens: true-up to the minimum | 30',
        'billedBefore | tokens, billed before | -120',
      ],
      '30',
    );
  });

  it('frees the units of the whole period from its beginning on, however early it is billed', () => {
    const item = itemOf(
      'usage',
      chargeOf('tokens', perUnit('1'), { meter: 'tokens', quantity: { free: '100' } }),
    );
    const early = invoiceOf([used(item, quantity(90), { through: at('2026-04-02') })]);
    expect(early.totals.total).to.equal('0');
    const whole = invoiceOf([used(item, quantity(130), { billed: billedOf(item.id, early) })]);
    expect(whole.totals.total).to.equal('30');
  });

  it('has a line and a fingerprint for each group of a matrix, and one that says that there was none', () => {
    const matrix: Price = {
      model: 'matrix',
      dimensions: ['model'],
      cells: [
        { match: { model: 'large' }, unitPrice: '0.03' },
        { match: { model: 'small' }, unitPrice: '0.01' },
      ],
    };
    const item = itemOf('usage', chargeOf('tokens', matrix, { meter: 'tokens' }));
    const made = invoiceOf([used(item, groups([{ model: 'small' }, 500], [{ model: 'large' }, 200]))]);
    expectInvoice(made, ['usage | tokens | 6', 'usage | tokens | 5'], '11');
    expect(
      made.lines.map(({ dimensions, usage }) => [dimensions, usage?.fingerprint.slice(-1)]),
    ).to.deep.equal([
      [{ model: 'large' }, '2'],
      [{ model: 'small' }, '1'],
    ]);
    const none = invoiceOf([used(item, groups())]);
    expectInvoice(none, ['usage | tokens | 0'], '0');
    expect(none.lines[0]?.usage?.fingerprint).to.equal('0'.repeat(32));
  });

  it('adds up the fingerprints of groups that one line has', () => {
    const item = itemOf('usage', chargeOf('tokens', tiered, { meter: 'tokens', tiersOver: 'total' }));
    const made = invoiceOf([used(item, groups([{ model: 'small' }, 500], [{ model: 'large' }, 700]))]);
    expectInvoice(made, ['usage | tokens | 110'], '110');
    expect(made.lines[0]?.usage?.fingerprint).to.equal(`${'0'.repeat(31)}3`);
  });

  const change = (onChange: NonNullable<PlanCharge['onChange']>): InvoiceContent => {
    const item = itemOf('usage', chargeOf('tokens', tiered, { meter: 'tokens', onChange }), {
      segments: [{ version: 1 }, { from: '2026-04-16', version: 2 }],
    });
    return invoiceOf([inputsOfItem(item, { usage: [quantity(800), quantity(700)] })]);
  };

  it('goes on in tiers over a change, begins again, or has a part of each, as the charge says', () => {
    // 200 at 0.10 and 500 at 0.05; 700 at 0.10; 500 at 0.10 and then 300 and 200 at 0.05.
    expectInvoice(change('continue'), ['usage | tokens | 80', 'usage | tokens | 45'], '125');
    expectInvoice(change('restart'), ['usage | tokens | 80', 'usage | tokens | 70'], '150');
    expectInvoice(change('prorateTiers'), ['usage | tokens | 65', 'usage | tokens | 60'], '125');
  });

  it('is rated alike when a period with a change is billed in parts', () => {
    const item = itemOf('usage', tokens, { segments: [{}, { from: '2026-04-16', version: 2 }] });
    const first = invoiceOf([used(item, quantity(800), { through: at('2026-04-10') })]);
    const second = invoiceOf([
      inputsOfItem(item, {
        through: at('2026-04-20'),
        usage: [quantity(900), quantity(300)],
        billed: billedOf(item.id, first),
      }),
    ]);
    // 90, and 100 at 0.10 with 200 at 0.05.
    expectInvoice(
      second,
      ['usage | tokens | 90', 'usage | tokens | 20', 'billedBefore | tokens, billed before | -80'],
      '30',
    );
    const last = invoiceOf([
      inputsOfItem(item, { usage: [quantity(900), quantity(600)], billed: billedOf(item.id, first, second) }),
    ]);
    expect(sum([first, second, last].map(({ totals }) => totals.total))).to.equal('125');
  });

  it('without proration has its free units and its minimum in full in a part of a period, but once, whatever changes in it', () => {
    const charge = chargeOf('tokens', perUnit('1'), {
      meter: 'tokens',
      proration: 'none',
      quantity: { free: '100' },
      minimum: '40',
    });
    const terms = { period: span('2026-04-21', '2026-05-01'), whole: APRIL };
    const one = invoiceOf([used(itemOf('usage', charge, terms), quantity(130))]);
    expectInvoice(one, ['usage | tokens | 30', 'minimum | tokens: true-up to the minimum | 10'], '40');
    const changed = itemOf('usage', charge, { ...terms, segments: [{}, { from: '2026-04-26', version: 2 }] });
    const two = invoiceOf([inputsOfItem(changed, { usage: [quantity(80), quantity(50)] })]);
    // 50 free and 20 at least in each half.
    expectInvoice(
      two,
      ['usage | tokens | 30', 'usage | tokens | 0', 'minimum | tokens: true-up to the minimum | 20'],
      '50',
    );
  });

  it('gives back all of an item that its subscription no longer has', () => {
    const item = itemOf('usage', tokens);
    const made = invoiceOf([used(item, quantity(800))]);
    const gone = invoiceOf([
      inputsOfItem({ kind: 'gone', id: item.id }, { billed: billedOf(item.id, made) }),
    ]);
    expectInvoice(gone, ['unused | tokens, unused | -80'], '-80');
  });
});

describe('an invoice of fees', () => {
  const seats = chargeOf('seats', perUnit('10'), { timing: 'inAdvance' });

  it('sets off what was paid in advance when seats are added, and nothing when nothing changes', () => {
    const before = itemOf('fee', seats, { segments: [{ seats: '5' }] });
    const paid = invoiceOf([inputsOfItem(before)]);
    expectInvoice(paid, ['fixed | seats | 50'], '50');
    const after = itemOf('fee', seats, { segments: [{ seats: '5' }, { from: '2026-04-11', seats: '8' }] });
    const upgrade = invoiceOf([inputsOfItem(after, { billed: billedOf(before.id, paid) })]);
    // 5 for 10 days of 30 are 16.67, and 8 for 20 days 53.33.
    expectInvoice(upgrade, ['unused | seats, unused | -33.33', 'fixed | seats | 53.33'], '20');
    expect(upgrade.lines.map(({ period }) => period)).to.deep.equal([
      span('2026-04-11', '2026-05-01'),
      span('2026-04-11', '2026-05-01'),
    ]);
    const again = invoiceOf([inputsOfItem(after, { billed: billedOf(before.id, paid, upgrade) })]);
    expect(again.lines).to.deep.equal([]);
  });

  it('gives back what a downgrade leaves unused, at the taxes it was paid with', () => {
    const fee = chargeOf('base', flat('90'), { timing: 'inAdvance', name: 'Platform' });
    const before = itemOf('fee', fee);
    const german = buyer('acme', { taxRates: [{ code: 'vat', jurisdiction: 'DE', rate: '19' }] });
    const paid = invoiceOf([inputsOfItem(before)], { customer: german });
    expectInvoice(paid, ['fixed | Platform | 90'], '107.1');
    const after = itemOf('fee', fee, {
      segments: [{}, { from: '2026-04-16', plan: 'basic', price: flat('30') }],
    });
    const french = buyer('acme', { taxRates: [{ code: 'vat', jurisdiction: 'FR', rate: '20' }] });
    const made = invoiceOf([inputsOfItem(after, { billed: billedOf(before.id, paid) })], {
      customer: french,
    });
    // -45 with 19 percent and 15 with 20 are -45, -8.55, 15 and 3.
    expectInvoice(made, ['unused | Platform, unused | -45', 'fixed | Platform | 15'], '-35.55');
    expect(
      made.taxes.map(({ jurisdiction, base, amount }) => `${jurisdiction} ${base} ${amount}`),
    ).to.deep.equal(['DE -45 -8.55', 'FR 15 3']);
  });

  it('gives each tax back for itself where a fee was billed twice, with two rates', () => {
    const fee = itemOf('fee', chargeOf('base', flat('90'), { timing: 'inAdvance' }));
    const taxed = (rate: string) => buyer('acme', { taxRates: [{ code: 'vat', jurisdiction: 'DE', rate }] });
    const paid = ['16', '19'].map((rate) => invoiceOf([inputsOfItem(fee)], { customer: taxed(rate) }));
    const made = invoiceOf([inputsOfItem(fee, { billed: billedOf(fee.id, ...paid) })], {
      customer: taxed('19'),
    });
    expectInvoice(
      made,
      [
        'fixed | base | 90',
        'billedBefore | base, billed before | -90',
        'billedBefore | base, billed before | -90',
      ],
      '-104.4',
    );
  });

  it('has the discount of a fee go with it', () => {
    const fee = chargeOf('base', flat('90'), { timing: 'inAdvance', discount: { percent: '10' } });
    const before = itemOf('fee', fee);
    const paid = invoiceOf([inputsOfItem(before)]);
    expectInvoice(paid, ['fixed | base | 90', 'discount | base: 10 % discount | -9'], '81');
    const cut = itemOf('fee', fee, { period: span('2026-04-01', '2026-04-11'), whole: APRIL });
    const made = invoiceOf([inputsOfItem(cut, { billed: billedOf(before.id, paid) })]);
    expectInvoice(made, ['unused | base, unused | -54'], '-54');
    // The end is taken back: what is due again stands beside what is billed.
    const back = invoiceOf([inputsOfItem(before, { billed: billedOf(before.id, paid, made) })]);
    expectInvoice(
      back,
      [
        'fixed | base | 90',
        'discount | base: 10 % discount | -9',
        'billedBefore | base, billed before | -27',
      ],
      '54',
    );
  });

  it('without proration is due once in a period, at the price with which it begins, or ends if it is in arrears', () => {
    const segments = [{}, { from: '2026-04-16', version: 2, price: flat('80') }];
    const fee = (timing: 'inAdvance' | 'inArrears'): InvoiceContent =>
      invoiceOf([
        inputsOfItem(
          itemOf('fee', chargeOf('base', flat('50'), { timing, proration: 'none' }), { segments }),
        ),
      ]);
    expectInvoice(fee('inAdvance'), ['fixed | base | 50'], '50');
    expectInvoice(fee('inArrears'), ['fixed | base | 80'], '80');
  });

  it('is whole when it is due once', () => {
    const minute = { from: APRIL.from, to: APRIL.from + 60_000_000 };
    const item = itemOf('once', chargeOf('setup', flat('199.99')), {
      whole: minute,
      segments: [{ seats: '2' }],
    });
    expectInvoice(invoiceOf([inputsOfItem(item)]), ['fixed | setup | 399.98'], '399.98');
  });

  it('is nothing during a trial', () => {
    const fee = chargeOf('base', flat('30'));
    const item = itemOf('fee', fee, { segments: [{ price: flat('0') }, { from: '2026-04-15' }] });
    expectInvoice(invoiceOf([inputsOfItem(item)]), ['fixed | base | 0', 'fixed | base | 16'], '16');
  });

  it('is rounded to what its currency has: whole yen, a thousandth of a dinar', () => {
    const ten = { period: span('2026-03-01', '2026-03-11'), whole: MARCH };
    const made = (currency: string, amount: string): InvoiceContent =>
      invoiceOf([inputsOfItem(itemOf('fee', chargeOf('base', flat(amount)), ten))], {
        currency,
        customer: buyer('acme', { taxRates: [{ code: 'vat', jurisdiction: 'XX', rate: '10' }] }),
      });
    // 10 of 31 days of 1,000 are 322.58, and its tax 32.3; of 10 they are 3.2258, and 0.3226.
    expectInvoice(made('JPY', '1000'), ['fixed | base | 323'], '355');
    expectInvoice(made('BHD', '10'), ['fixed | base | 3.226'], '3.549');
  });
});

describe('an invoice as a document', () => {
  it('keeps prices that include tax and says what is net', () => {
    const seller = {
      ...SELLER,
      prices: 'inclusive' as const,
      taxRates: [{ code: 'vat', jurisdiction: 'DE', rate: '19' }],
    };
    const made = invoiceOf(
      [
        inputsOfItem(itemOf('fee', chargeOf('base', flat('119')))),
        inputsOfItem(itemOf('fee', chargeOf('extra', flat('10')))),
      ],
      { seller },
    );
    // 19 and 1.5966 are 20.60 together.
    expectInvoice(made, ['fixed | base | 119', 'fixed | extra | 10'], '129');
    expect(made.totals).to.deep.include({ net: '108.4', tax: '20.6' });
  });

  it('takes the taxes of the charge, else of who pays, else of the seller, and says why something is exempt', () => {
    const exempt = { code: 'vat', jurisdiction: 'DE', rate: '0', exemption: 'reverse_charge' };
    const rate = (percent: string) => [{ code: 'vat', jurisdiction: 'DE', rate: percent }];
    const items = [
      inputsOfItem(itemOf('fee', chargeOf('a', flat('100'), { taxRates: rate('7') }))),
      inputsOfItem(itemOf('fee', chargeOf('b', flat('100')))),
      inputsOfItem(itemOf('fee', chargeOf('c', flat('100'), { taxRates: [] }))),
    ];
    const made = invoiceOf(items, {
      seller: { ...SELLER, taxRates: rate('19') },
      customer: buyer('acme', { taxRates: [exempt] }),
    });
    expect(
      made.lines.map(({ taxes }) => taxes.map(({ rate: percent, exemption }) => [percent, exemption])),
    ).to.deep.equal([[['7', null]], [['0', 'reverse_charge']], []]);
    expectInvoiceRecomputable(made);
  });

  it('has the lines of a parent first, then those of its children, and what was written by hand last', () => {
    const fee = inputsOfItem(itemOf('fee', chargeOf('base', flat('10'))));
    const of = (id: string, key: string) => subscriptionOf([fee], { id, customer: { key, name: key } });
    const inputs = inputsOf([of('s3', 'child-b'), of('s1', 'child-a'), of('s2', 'parent')], {
      customer: buyer('parent'),
      extraLines: [
        {
          description: 'Training',
          period: APRIL,
          quantity: '1',
          unitPrice: '5',
          amount: '5',
          taxRates: null,
        },
      ],
    });
    const made = buildInvoice(inputs);
    expect(made.lines.map(({ id, customer, subscription }) => [id, customer, subscription])).to.deep.equal([
      ['1', 'parent', 's2'],
      ['2', 'child-a', 's1'],
      ['3', 'child-b', 's3'],
      ['4', null, null],
    ]);
    expect(made.totals.total).to.equal('35');
    expect(made.servicePeriod).to.deep.equal(APRIL);
  });
});

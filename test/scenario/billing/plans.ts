import type {
  ChargeInCurrency,
  PlanCharge,
  PlanVersion,
  PlanVersionDefinition,
} from '#domain/plans/plan-version.ts';
import type { Price } from '#domain/pricing/charge.ts';
import { parse, text, times } from './exact.ts';

/** So many of a currency are one euro of these price lists. */
const RATES: Readonly<Record<string, string>> = { EUR: '1', JPY: '160', BHD: '0.4' };
export const CURRENCIES = Object.keys(RATES);

const scaled = (amount: string, currency: string): string =>
  text(times(parse(amount), parse(RATES[currency] ?? '1')));

/** A charge in every currency, given in the first. */
function sold(charge: PlanCharge): PlanCharge {
  const inCurrency = CURRENCIES.slice(1).map((currency): [string, ChargeInCurrency] => [
    currency,
    {
      price: priceIn(charge.price, currency),
      ...(charge.minimum == null ? {} : { minimum: scaled(charge.minimum, currency) }),
    },
  ]);
  return { name: charge.key, ...charge, inCurrency: Object.fromEntries(inCurrency) };
}

/** The same price in another currency: money is scaled, units are not. */
export function priceIn(price: Price, currency: string): Price {
  const money = new Set(['amount', 'unitPrice', 'price', 'flatFee', 'defaultUnitPrice']);
  const text = JSON.stringify(price, (name, value: unknown) =>
    money.has(name) && typeof value === 'string' ? scaled(value, currency) : value,
  );
  return JSON.parse(text) as Price;
}

const amounts = (euros: string): Readonly<Record<string, string>> =>
  Object.fromEntries(CURRENCIES.map((currency) => [currency, scaled(euros, currency)]));

const flat = (amount: string): Price => ({ model: 'flat', amount });
const perUnit = (unitPrice: string): Price => ({ model: 'perUnit', unitPrice });

const fee = (key: string, amount: string, rest: Partial<PlanCharge> = {}): PlanCharge =>
  sold({ key, timing: 'inAdvance', price: flat(amount), ...rest });
const seats = (unitPrice: string, rest: Partial<PlanCharge> = {}): PlanCharge =>
  sold({ key: 'seats', timing: 'inAdvance', price: perUnit(unitPrice), seats: '3', ...rest });
const usage = (meter: string, price: Price, rest: Partial<PlanCharge> = {}): PlanCharge =>
  sold({ key: meter, meter, price, ...rest });

const calls = (first: string, rest: Partial<PlanCharge> = {}): PlanCharge =>
  usage(
    'calls',
    {
      model: 'graduated',
      tiers: [
        { upTo: '5', unitPrice: first, flatFee: '1.5' },
        { upTo: '12', unitPrice: '0.755', flatFee: '2.25' },
        { upTo: null, unitPrice: '0.3333' },
      ],
    },
    rest,
  );
const tokens = (small: string, rest: Partial<PlanCharge> = {}): PlanCharge =>
  usage(
    'tokens',
    {
      model: 'matrix',
      dimensions: ['model'],
      cells: [{ match: { model: 'small' }, unitPrice: small }],
      defaultUnitPrice: '0.0712',
    },
    rest,
  );
const peak = (unitPrice: string, rest: Partial<PlanCharge> = {}): PlanCharge =>
  usage(
    'peak',
    {
      model: 'volume',
      tiers: [
        { upTo: '40', unitPrice, flatFee: '3' },
        { upTo: null, unitPrice: '0.05', flatFee: '4.1' },
      ],
    },
    rest,
  );
const users = (price: string, rest: Partial<PlanCharge> = {}): PlanCharge =>
  usage('users', { model: 'package', size: '3', price }, rest);

const support = {
  key: 'support',
  charges: [
    fee('support', '12.99', { proration: 'day' }),
    fee('welcome', '30', { cadence: 'once', timing: null }),
  ],
};

/** A plan family with upgrades, downgrades and versions; one with a trial and a ramp; one that is paid by the year and by the quarter. */
const DEFINITIONS: Readonly<Record<string, readonly PlanVersionDefinition[]>> = {
  basic: [
    {
      currencies: CURRENCIES,
      family: 'core',
      phases: [
        {
          key: 'main',
          charges: [fee('base', '10'), calls('1.1', { quantity: { free: '2' } }), tokens('0.0401')],
        },
      ],
      addOns: [support],
    },
    {
      currencies: CURRENCIES,
      family: 'core',
      phases: [
        {
          key: 'main',
          charges: [fee('base', '11.11'), calls('0.99'), tokens('0.0333', { minimum: '2.5' }), seats('4.2')],
        },
      ],
      addOns: [support],
      spendThreshold: amounts('20'),
    },
  ],
  pro: [
    {
      currencies: CURRENCIES,
      family: 'core',
      phases: [
        {
          key: 'main',
          charges: [
            fee('base', '29.9', { proration: 'none' }),
            calls('0.6', { onChange: 'restart' }),
            seats('7.77'),
            users('5.55', { discount: { percent: '12.5' } }),
          ],
        },
      ],
      addOns: [support],
      minimum: { amount: amounts('60'), overageFactor: '1.25' },
    },
    {
      currencies: CURRENCIES,
      family: 'core',
      phases: [
        {
          key: 'main',
          charges: [fee('base', '33'), calls('0.5', { onChange: 'prorateTiers' }), seats('8.1'), users('6')],
        },
      ],
      addOns: [support],
      minimum: { amount: amounts('75') },
      maximum: { amount: amounts('140') },
    },
  ],
  ramp: [
    {
      currencies: CURRENCIES,
      phases: [
        { key: 'trial', duration: 'P14D', charges: [tokens('0', { discount: { percent: '100' } })] },
        {
          key: 'ramp',
          duration: 'P2M',
          charges: [tokens('0.02'), fee('base', '5', { timing: 'inArrears' })],
        },
        {
          key: 'main',
          charges: [
            tokens('0.05', { quantity: { free: '0' } }),
            fee('base', '20', { timing: 'inArrears' }),
            peak('0.25'),
          ],
          minimum: { amount: amounts('25') },
        },
      ],
    },
    {
      currencies: CURRENCIES,
      phases: [
        { key: 'early', duration: 'P1M', charges: [tokens('0.01'), peak('0.2')] },
        {
          key: 'later',
          duration: 'P1M',
          charges: [tokens('0.03'), peak('0.3', { quantity: { free: '10' } })],
        },
        {
          key: 'main',
          charges: [
            tokens('0.04'),
            peak('0.35'),
            fee('base', '18', { timing: 'inArrears', proration: 'none' }),
          ],
        },
      ],
    },
  ],
  yearly: [
    {
      currencies: CURRENCIES,
      phases: [
        {
          key: 'main',
          charges: [
            fee('year', '365', { cadence: 'P1Y' }),
            seats('21', { cadence: 'P3M', proration: 'day' }),
            calls('0.8', { quantity: { free: '4' } }),
            fee('setup', '49.5', { cadence: 'once', timing: null }),
          ],
        },
      ],
      addOns: [support],
    },
  ],
};

export const PLANS: readonly PlanVersion[] = Object.entries(DEFINITIONS).flatMap(([plan, versions]) =>
  versions.map((definition, index) => ({
    ...definition,
    plan,
    version: index + 1,
    state: 'active' as const,
  })),
);

export const versionsOf = (plan: string): readonly PlanVersion[] =>
  PLANS.filter((each) => each.plan === plan);

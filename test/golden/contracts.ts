import { contract as addOns } from './add-ons/contract.ts';
import { contract as aucklandDaylightSaving } from './auckland-daylight-saving/contract.ts';
import { contract as backdatedStart } from './backdated-start/contract.ts';
import { contract as bahrainDinar } from './bahrain-dinar/contract.ts';
import { contract as cancelledYear } from './cancelled-year/contract.ts';
import { contract as enterpriseCommitment } from './enterprise-commitment/contract.ts';
import { contract as indiaHalfHour } from './india-half-hour/contract.ts';
import { contract as japanYen } from './japan-yen/contract.ts';
import { contract as llmApi } from './llm-api/contract.ts';
import { contract as marketplace } from './marketplace/contract.ts';
import { contract as oneOff } from './one-off/contract.ts';
import { contract as parentPays } from './parent-pays/contract.ts';
import { contract as progressiveBilling } from './progressive-billing/contract.ts';
import { contract as seatsAndUsage } from './seats-and-usage/contract.ts';
import { contract as storage } from './storage/contract.ts';
import { contract as taxInclusive } from './tax-inclusive/contract.ts';
import { contract as trial } from './trial/contract.ts';
import { contract as yearlyFee } from './yearly-fee/contract.ts';
import type { GoldenContract } from './golden-contract.ts';

/** Every contract by its folder. */
export const contracts: ReadonlyMap<string, GoldenContract> = new Map([
  ['add-ons', addOns],
  ['auckland-daylight-saving', aucklandDaylightSaving],
  ['backdated-start', backdatedStart],
  ['bahrain-dinar', bahrainDinar],
  ['cancelled-year', cancelledYear],
  ['enterprise-commitment', enterpriseCommitment],
  ['india-half-hour', indiaHalfHour],
  ['japan-yen', japanYen],
  ['llm-api', llmApi],
  ['marketplace', marketplace],
  ['one-off', oneOff],
  ['parent-pays', parentPays],
  ['progressive-billing', progressiveBilling],
  ['seats-and-usage', seatsAndUsage],
  ['storage', storage],
  ['tax-inclusive', taxInclusive],
  ['trial', trial],
  ['yearly-fee', yearlyFee],
]);

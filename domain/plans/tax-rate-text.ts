/** A tax rate as it is given and stored; `domain/invoicing/tax-rate.ts` computes with it. */
export interface TaxRateText {
  readonly code: string;
  readonly jurisdiction: string;
  /** In percent, plain decimal text. */
  readonly rate: string;
  readonly exemption?: string | null;
}

/** The same with a place for everything that may be said, as it is stored. */
export interface WholeTaxRateText extends TaxRateText {
  readonly exemption: string | null;
}

export const wholeTaxRate = ({ code, jurisdiction, rate, exemption }: TaxRateText): WholeTaxRateText => ({
  code,
  jurisdiction,
  rate,
  exemption: exemption ?? null,
});

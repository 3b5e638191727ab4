import { AUDIT_ROUTES } from './audit/routes.ts';
import { BACKFILL_ROUTES } from './catalogue/backfill-routes.ts';
import { FEATURE_ROUTES } from './catalogue/feature-routes.ts';
import { METER_ROUTES } from './catalogue/meter-routes.ts';
import { CORRECTION_BY_FILTER_ROUTES } from './corrections/routes.ts';
import { CUSTOMER_ROUTES } from './customers/routes.ts';
import { DEAD_LETTER_ROUTES } from './dead-letters/routes.ts';
import { EVENT_TYPE_ROUTES } from './event-types/routes.ts';
import { EVENT_ROUTES } from './events/routes.ts';
import { documentationRoutes } from './documentation/routes.ts';
import { CHECK_ROUTES } from './entitlements/check-routes.ts';
import { LIMIT_ROUTES } from './entitlements/limit-routes.ts';
import { RESERVATION_ROUTES } from './entitlements/reservation-routes.ts';
import { openApiDocument } from './http/openapi.ts';
import type { Route } from './http/route.ts';
import { IMPORT_ROUTES } from './imports/routes.ts';
import { INVOICE_RUN_ROUTES } from './invoice-runs/routes.ts';
import { INVOICE_PROOF_ROUTES } from './invoices/proof-routes.ts';
import { INVOICE_ROUTES } from './invoices/routes.ts';
import { INVOICE_STATE_ROUTES } from './invoices/state-routes.ts';
import { KEY_ROUTES } from './keys/routes.ts';
import { OPERATION_ROUTES } from './operation/routes.ts';
import { PARKED_APPEND_ROUTES } from './parked-appends/routes.ts';
import { PLAN_ROUTES } from './plans/routes.ts';
import { PLAN_VERSION_ROUTES } from './plans/version-routes.ts';
import { CHARGES_ROUTES } from './rating/charges-routes.ts';
import { PERIOD_ROUTES } from './rating/period-routes.ts';
import { PRICE_ROUTES } from './rating/price-routes.ts';
import { RECONCILIATION_ROUTES } from './reconciliations/routes.ts';
import { SELLER_ROUTES } from './sellers/routes.ts';
import { SUBSCRIPTION_CHANGE_ROUTES } from './subscriptions/change-routes.ts';
import { MIGRATION_ROUTES } from './subscriptions/migration-routes.ts';
import { SUBSCRIPTION_ROUTES } from './subscriptions/routes.ts';
import { USAGE_ROUTES } from './usage/routes.ts';

/** Every route of the API, and the document that describes them all. */
export function assembleRoutes(version: string): {
  readonly routes: readonly Route[];
  readonly document: object;
} {
  const routes: Route[] = [
    ...BACKFILL_ROUTES,
    ...AUDIT_ROUTES,
    ...CHARGES_ROUTES,
    ...CHECK_ROUTES,
    ...CORRECTION_BY_FILTER_ROUTES,
    ...CUSTOMER_ROUTES,
    ...DEAD_LETTER_ROUTES,
    ...EVENT_ROUTES,
    ...EVENT_TYPE_ROUTES,
    ...FEATURE_ROUTES,
    ...IMPORT_ROUTES,
    ...INVOICE_PROOF_ROUTES,
    ...INVOICE_ROUTES,
    ...INVOICE_RUN_ROUTES,
    ...INVOICE_STATE_ROUTES,
    ...KEY_ROUTES,
    ...LIMIT_ROUTES,
    ...METER_ROUTES,
    ...MIGRATION_ROUTES,
    ...OPERATION_ROUTES,
    ...PARKED_APPEND_ROUTES,
    ...PERIOD_ROUTES,
    ...PLAN_ROUTES,
    ...PLAN_VERSION_ROUTES,
    ...PRICE_ROUTES,
    ...RESERVATION_ROUTES,
    ...RECONCILIATION_ROUTES,
    ...SELLER_ROUTES,
    ...SUBSCRIPTION_CHANGE_ROUTES,
    ...SUBSCRIPTION_ROUTES,
    ...USAGE_ROUTES,
    ...documentationRoutes(() => document),
  ];
  const document = openApiDocument(routes, version);
  return { routes, document };
}

/** Under which the OpenAPI document lists invoices and runs. */
export const tag = 'Invoices';

/** Under which the OpenAPI document lists plans and their versions. */
export const tag = 'Plans';

/** Under which the OpenAPI document lists the calculators. */
export const tag = 'Rating';

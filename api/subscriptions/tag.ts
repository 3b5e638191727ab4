/** Under which the OpenAPI document lists subscriptions. */
export const tag = 'Subscriptions';

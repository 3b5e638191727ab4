/** What an API key may do: a closed list, extended deliberately and only here. No scope implies another. */
export const SCOPES = [
  'events:write',
  'usage:read',
  'quota:check',
  'catalogue:read',
  'catalogue:write',
  'customers:read',
  'customers:write',
  'billing:read',
  'billing:write',
  'dead-letters:read',
  'admin',
] as const;
export type Scope = (typeof SCOPES)[number];

export const isScope = (text: string): text is Scope => (SCOPES as readonly string[]).includes(text);

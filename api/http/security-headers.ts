import helmet from 'helmet';

/** Only the documentation page loads anything, and all of it from here. */
export const CONTENT_SECURITY = {
  defaultSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  styleSrc: ["'self'", "'unsafe-inline'"],
  // The documentation is read over plain HTTP on loopback too.
  upgradeInsecureRequests: null,
};

/** Helmet's headers, for what a browser shows. They are always the same, so they are made once; its dozen of handlers cost more than a quota check. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = helmetHeaders();

/** Those that say something of a document that programs read too (OWASP's cheat sheet for REST); the others are about pages and plugins. */
const KEPT = [
  'Cross-Origin-Resource-Policy',
  'Referrer-Policy',
  'Strict-Transport-Security',
  'X-Content-Type-Options',
] as const;

/** Of JSON. Should a browser show it after all, it loads nothing and stands in no frame. */
export const DOCUMENT_HEADERS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(KEPT.map((name) => [name, helmetHeader(name)])),
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Frame-Options': 'DENY',
};

function helmetHeader(name: string): string {
  const value = PAGE_HEADERS[name];
  if (value === undefined) throw new Error(`helmet has no header ${name} any more`);
  return value;
}

function helmetHeaders(): Record<string, string> {
  const headers = new Map<string, string>();
  const recorder = {
    setHeader: (name: string, value: string) => void headers.set(name, value),
    removeHeader: (name: string) => void headers.delete(name),
  };
  const protect = helmet({ contentSecurityPolicy: { directives: CONTENT_SECURITY } });
  protect({} as never, recorder as never, (error?: unknown) => {
    if (error !== undefined) throw new Error('helmet cannot make its headers', { cause: error });
  });
  return Object.fromEntries(headers);
}

import helmet from 'helmet';

/** Only the documentation page loads anything, and all of it from here. */
export const CONTENT_SECURITY = {
  defaultSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  styleSrc: ["'self'", "'unsafe-inline'"],
  // The documentation is read over plain HTTP on loopback too.
  upgradeInsecureRequests: null,
};

/** Helmet's headers. They are the same for every answer, so they are made once; its dozen of handlers cost more than a quota check. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = securityHeaders();

function securityHeaders(): Record<string, string> {
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

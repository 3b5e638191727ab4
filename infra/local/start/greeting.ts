/** What `npm start` tells once it runs. */
export interface Greeting {
  readonly url: string;
  /** Where the data lies. */
  readonly data: string;
  /** Why there is no development key, or the secret of the one just made. */
  readonly key: { readonly secret: string } | 'keys-exist' | 'not-loopback';
}

export function greet({ url, data, key }: Greeting): string {
  return `Millrace runs.

  API            ${url}
  Documentation  ${url}/docs
  Data           ${data}

${typeof key === 'object' ? tellKey(url, key.secret) : TELL_HOW[key]}
Ctrl-C stops it; nothing that was answered is lost.
`;
}

const tellKey = (
  url: string,
  secret: string,
): string => `Your development key, shown this once. It may do everything in the namespace "default":

  ${secret}

Post your first event:

  curl -sS '${url}/v1/events' -H 'Authorization: Bearer ${secret}' \\
    -H 'Content-Type: application/cloudevents+json' \\
    -d '{"specversion":"1.0","id":"hello-1","source":"my-terminal","type":"greeting","subject":"me"}'
`;

const MAKE_KEY = `  npm run keys -- create --namespace default --name NAME --scopes all
`;

const TELL_HOW = {
  'keys-exist': `The namespace "default" has API keys. Another one is made with

${MAKE_KEY}`,
  'not-loopback': `It listens beyond this machine, so no development key was made. A key is made with

${MAKE_KEY}`,
};

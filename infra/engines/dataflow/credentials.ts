import { GoogleAuth } from 'google-auth-library';

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';

/** Tokens of the default credentials of the machine, kept and renewed. Throws where there are none. */
export function defaultCredentials(): () => Promise<string> {
  const auth = new GoogleAuth({ scopes: [SCOPE] });
  return async () => {
    const token = await auth.getAccessToken();
    if (typeof token !== 'string')
      throw new Error('the default credentials of this machine give no access token');
    return token;
  };
}

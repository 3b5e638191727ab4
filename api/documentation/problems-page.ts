import { problemsByStatus } from '../http/problem-codes.ts';

/** Every problem code with its own anchor: what a problem's `type` leads to. */
export function problemsPage(): string {
  const entries = problemsByStatus().map(
    ([code, { status, title, mend }]) => `      <article id="${code}">
        <h2><code>${code}</code> <small>${status}</small></h2>
        <p>${escapeHtml(title)}. ${escapeHtml(mend).replaceAll(/`([^`]+)`/g, '<code>$1</code>')}</p>
      </article>`,
  );
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Millrace problems</title>
    <style>
      body { font: 1rem/1.5 system-ui, sans-serif; max-width: 42rem; margin: 2rem auto; padding: 0 1rem; color: #1c2733; }
      article { border-top: 1px solid #d8dee4; padding: 0.5rem 0; }
      article:target { background: #fff6d6; }
      h2 { font-size: 1.05rem; margin: 0.5rem 0; overflow-wrap: anywhere; }
      small { color: #5b6b7b; font-weight: normal; }
    </style>
  </head>
  <body>
    <main>
      <h1>Problems</h1>
      <p>Every answer that is no success is <code>application/problem+json</code> with one of these codes.</p>
${entries.join('\n')}
    </main>
  </body>
</html>
`;
}

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { file, json, text } from '../http/answer.ts';
import { openRoute, type Route } from '../http/route.ts';
import { explorerPage, EXPLORER_SCRIPT } from './explorer-page.ts';
import { problemsPage } from './problems-page.ts';

const HTML = 'text/html; charset=utf-8';

/** What the explorer loads, from the package on our own disk: nothing comes from another host. */
const ASSETS = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'] as const;
const ASSET_DIRECTORY = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

const problems = openRoute({
  method: 'get',
  path: '/docs/problems',
  name: 'getProblems',
  tag: 'Documentation',
  summary: 'Every problem code, what it means and how to mend it',
  answers: { 200: { description: 'A page', mediaTypes: ['text/html'] } },
  handle: () => text(200, HTML, problemsPage()),
});

const explorer = openRoute({
  method: 'get',
  path: '/docs',
  name: 'getDocumentation',
  tag: 'Documentation',
  summary: 'This document as a page to read and try',
  answers: { 200: { description: 'A page', mediaTypes: ['text/html'] } },
  handle: () => text(200, HTML, explorerPage()),
});

const explorerScript = openRoute({
  method: 'get',
  path: '/docs/explorer.js',
  name: 'getDocumentationScript',
  tag: 'Documentation',
  summary: 'What starts the page',
  answers: { 200: { description: 'A script', mediaTypes: ['text/javascript'] } },
  handle: () => text(200, 'text/javascript; charset=utf-8', EXPLORER_SCRIPT),
});

const asset = openRoute({
  method: 'get',
  path: '/docs/assets/{asset}',
  name: 'getDocumentationAsset',
  tag: 'Documentation',
  summary: 'A file of the page',
  parameters: { path: z.object({ asset: z.enum(ASSETS) }) },
  answers: { 200: { description: 'The file', mediaTypes: ['text/css', 'text/javascript', 'image/png'] } },
  handle: (_services, { path }) => file(join(ASSET_DIRECTORY, path.asset)),
});

/** The routes of the documentation; `document` gives the OpenAPI document of all routes, these included. */
export function documentationRoutes(document: () => object): Route[] {
  const openApi = openRoute({
    method: 'get',
    path: '/openapi.json',
    name: 'getOpenApi',
    tag: 'Documentation',
    summary: 'This document, OpenAPI 3.1',
    answers: { 200: { description: 'The document', json: z.looseObject({ openapi: z.string() }) } },
    handle: () => json(200, document() as { openapi: string }),
  });
  return [openApi, explorer, explorerScript, asset, problems];
}

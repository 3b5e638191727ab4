import { expect } from 'chai';
import { z } from 'zod';
import { json } from '#api/http/answer.ts';
import { Problem } from '#api/http/problem.ts';
import { createRouteTable } from '#api/http/route-table.ts';
import { openRoute, type Method, type Route } from '#api/http/route.ts';
import { assembleRoutes } from '#api/routes.ts';

const routeOf = (method: Method, path: string): Route =>
  openRoute({
    method,
    path,
    name: `${method} ${path}`,
    tag: 'test',
    summary: 'test',
    answers: { 200: { description: 'done', json: z.object({}) } },
    handle: () => json(200, {}),
  });

const THINGS = createRouteTable([
  routeOf('get', '/things/{key}'),
  routeOf('put', '/things/{key}'),
  routeOf('post', '/things/search'),
  routeOf('get', '/things/{key}/parts/{part}'),
  routeOf('get', '/things/search/parts'),
]);

const found = (method: string, target: string) => {
  const { route, parameters } = THINGS(method, target);
  return { name: route.name, ...parameters };
};

function refusal(method: string, target: string): Problem {
  try {
    THINGS(method, target);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error(`${method} ${target} was found`);
}

describe('the table of routes', () => {
  it('finds every route of the API by its method and its own path', () => {
    const { routes } = assembleRoutes('0.0.0');
    const find = createRouteTable(routes);
    for (const route of routes) {
      const target = route.path.replaceAll(/\{(\w+)\}/g, 'of-$1');
      const names = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
      const parameters = Object.fromEntries(names.map((name) => [name, `of-${name}`]));
      expect(find(route.method.toUpperCase(), target), route.name).to.deep.equal({ route, parameters });
    }
  });

  it('gives parameters decoded, whatever follows the path, and an origin in front is passed over', () => {
    for (const target of [
      '/things/a%2Fb',
      '/things/a%2Fb?x=/y',
      '/things/a%2Fb#z',
      'http://host:1/things/a%2Fb?x',
    ])
      expect(found('GET', target), target).to.deep.equal({ name: 'get /things/{key}', key: 'a/b' });
  });

  it('takes a HEAD as a GET', () => {
    expect(found('HEAD', '/things/a').name).to.equal('get /things/{key}');
  });

  it('prefers a literal segment, and takes the parameter where that leads nowhere', () => {
    expect(found('POST', '/things/search').name).to.equal('post /things/search');
    expect(found('GET', '/things/search')).to.deep.equal({ name: 'get /things/{key}', key: 'search' });
    expect(found('GET', '/things/search/parts').name).to.equal('get /things/search/parts');
    expect(found('GET', '/things/search/parts/p')).to.include({ key: 'search', part: 'p' });
  });

  it('knows no path with another case, with a slash more or with an empty segment', () => {
    for (const target of [
      '/Things/a',
      '/things/a/',
      '//things/a',
      '/things/',
      '/things//parts/p',
      '/',
      '*',
      '',
    ])
      expect(refusal('GET', target).code, target).to.equal('not_found');
  });

  it('names the methods that a path takes', () => {
    for (const method of ['DELETE', 'OPTIONS', 'constructor']) {
      const { code, headers } = refusal(method, '/things/a');
      expect({ code, headers }).to.deep.equal({ code: 'method_not_allowed', headers: { Allow: 'GET, PUT' } });
    }
    expect(refusal('DELETE', '/things/search').headers).to.deep.equal({ Allow: 'POST, GET, PUT' });
  });

  it('refuses a path that cannot be decoded, and says where', () => {
    const { code, violations } = refusal('GET', '/things/a/parts/%FF');
    expect(code).to.equal('invalid_request');
    expect(violations.map(({ pointer }) => pointer)).to.deep.equal(['path:part']);
  });

  it('refuses two routes that could not be told apart', () => {
    const same = [routeOf('get', '/things/{key}'), routeOf('get', '/things/{id}')];
    expect(() => createRouteTable(same)).to.throw(RangeError);
  });
});

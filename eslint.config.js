import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { importDirections } from './scripts/import-directions.ts';

/** What would let the clock, chance or the outside into the core. `Buffer` and `TextDecoder` are pure and stay. */
const IMPURE_GLOBALS = [
  'Date',
  'crypto',
  'process',
  'console',
  'performance',
  'fetch',
  'navigator',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'globalThis',
  'global',
  'require',
  'WebSocket',
  'EventSource',
  'localStorage',
  'sessionStorage',
];

export default defineConfig(
  { ignores: ['node_modules', 'coverage', '.millrace'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { millrace: { rules: { 'import-directions': importDirections } } },
    rules: {
      'millrace/import-directions': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // A method of a port is async by contract, whether or not one driver has something to wait for.
      '@typescript-eslint/require-await': 'off',
      // Ports and parts are records of functions that close over their state: there is no `this` to lose.
      '@typescript-eslint/unbound-method': 'off',
      // `return fail(fault)` and `return resolve()` leave a function and say so at once.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // `async (tx) => void …` says that a result is not wanted, whatever its type is.
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      // What comes from outside is checked although its type promises more.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 4],
      // `== null` is the one comparison that means null or undefined.
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'no-control-regex': 'error',
      'no-restricted-exports': [
        'error',
        { restrictDefaultExports: { direct: true, named: true, defaultFrom: true, namedFrom: true } },
      ],
    },
  },
  {
    files: ['domain/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...IMPURE_GLOBALS.map((name) => ({
          name,
          message: 'domain/ reads no clock, draws no random number and does no I/O (decision 0002)',
        })),
      ],
      'no-restricted-properties': [
        'error',
        {
          object: 'Math',
          property: 'random',
          message: 'domain/ draws no random number (decision 0002)',
        },
        { object: 'Temporal', property: 'Now', message: 'domain/ reads no clock (decision 0002)' },
      ],
    },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      // A `describe` is a long function by nature, and a builder of cases may take a row of values.
      'max-lines-per-function': 'off',
      'max-params': 'off',
      // `expect(x).to.be.true` is an expression.
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Texts are taken apart into code points to make strange ones.
      '@typescript-eslint/no-misused-spread': 'off',
    },
  },
  {
    files: ['scripts/**/*.ts', 'terraform/**/*.ts', 'bench/**/*.ts', 'pipelines/demo/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.js'],
    ...tseslint.configs.disableTypeChecked,
    rules: { ...tseslint.configs.disableTypeChecked.rules, 'no-restricted-exports': 'off' },
  },
);

import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { schemaMessage } from './schema-message.ts';
import type { ProviderSchema } from './schema.ts';

export interface ServedSchema {
  /** What Terraform takes from the environment in order to use this provider instead of installing one. */
  readonly environment: { readonly TF_REATTACH_PROVIDERS: string };
  close(): void;
}

const SOURCE = 'registry.terraform.io/hashicorp/google';
const PROTOCOL = 6;
/** Configurations are checked by Terraform itself, by the schema: the provider has no objection to any. */
const WITHOUT_OBJECTION = [
  'ValidateProviderConfig',
  'ValidateResourceConfig',
  'ValidateDataResourceConfig',
  'StopProvider',
];

/**
 * Serves a schema to Terraform on a loopback port, as the google provider would: enough for `validate`, and for `test` with
 * `mock_provider`. Everything that would touch a cloud is not implemented, and fails if it is called.
 */
export async function serveSchema(schema: ProviderSchema): Promise<ServedSchema> {
  const server = new Server();
  const answers = new Map([['GetProviderSchema', schemaMessage(schema)]]);
  for (const method of WITHOUT_OBJECTION) answers.set(method, Buffer.alloc(0));
  server.addService(definitionOf([...answers.keys()]), implementationOf(answers));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (fault, bound) =>
      fault === null ? resolve(bound) : reject(fault),
    );
  });
  return { environment: { TF_REATTACH_PROVIDERS: reattach(port) }, close: () => server.forceShutdown() };
}

/** Requests need not be read, and answers are bytes already. */
function definitionOf(methods: readonly string[]): ServiceDefinition {
  const asIs = (bytes: Buffer): Buffer => bytes;
  return Object.fromEntries(
    methods.map((method) => [
      method,
      {
        path: `/tfplugin6.Provider/${method}`,
        requestStream: false,
        responseStream: false,
        requestSerialize: asIs,
        requestDeserialize: asIs,
        responseSerialize: asIs,
        responseDeserialize: asIs,
      },
    ]),
  );
}

const implementationOf = (answers: ReadonlyMap<string, Buffer>): UntypedServiceImplementation =>
  Object.fromEntries(
    [...answers].map(([method, answer]) => [
      method,
      (_call: unknown, reply: (fault: null, answer: Buffer) => void) => reply(null, answer),
    ]),
  );

const reattach = (port: number): string =>
  JSON.stringify({
    [SOURCE]: {
      Protocol: 'grpc',
      ProtocolVersion: PROTOCOL,
      // Terraform looks whether this process lives, and leaves it alone when it is done.
      Pid: process.pid,
      Test: true,
      Addr: { Network: 'tcp', String: `127.0.0.1:${port}` },
    },
  });

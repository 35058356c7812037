import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { readSettings } from '../../src/config/settings.ts';
import { isError } from '../../src/errors.ts';

const HERE = import.meta.filename;

describe('settings', () => {
  it('have a default each', () => {
    assert.deepEqual(readSettings({ PATH: '/bin' }), {
      listen: { host: '127.0.0.1', port: 8080 },
      metricsListen: { host: '127.0.0.1', port: 9464 },
      data: resolve('data'),
      manifests: resolve('config/standalone'),
      domains: [],
      region: 'us-east-1',
      workers: availableParallelism(),
      trustedProxies: [],
      logLevel: 'info',
      signingKeyFile: resolve('data/signing-key'),
      limits: {
        headerBytes: 16_384,
        headersMs: 20_000,
        bodyIdleMs: 30_000,
        bodyMinRate: 1024,
        sendIdleMs: 60_000,
        keepAliveMs: 65_000,
        maxConnections: 10_000,
      },
      graceMs: 3_600_000,
      uploadLifeMs: 604_800_000,
      scrub: { bytesPerSecond: 20_971_520, digestsPerSecond: 200, period: 604_800_000 },
      drainMs: 300_000,
    });
  });

  it('are read, with their units', () => {
    const settings = readSettings({
      BONDED_LISTEN: '[::1]:0',
      BONDED_METRICS_LISTEN: ':9000',
      BONDED_DATA: '/srv/bonded',
      BONDED_OIDC_ISSUERS: HERE,
      BONDED_STORAGE: HERE,
      BONDED_DOMAIN: 'S3.Example.org, store.local',
      BONDED_WORKERS: '3',
      BONDED_TLS_CERT: HERE,
      BONDED_TLS_KEY: HERE,
      BONDED_TRUSTED_PROXIES: '10.0.0.0/8,::1',
      BONDED_LOG_LEVEL: 'debug',
      BONDED_MAX_HEADER_BYTES: '64KiB',
      BONDED_IDLE_TIMEOUT: '5m',
      BONDED_MIN_RATE: '0',
      BONDED_GRACE: '7d',
      BONDED_REGION: '',
    });
    assert.deepEqual(
      [settings.listen, settings.metricsListen],
      [
        { host: '::1', port: 0 },
        { host: '::', port: 9000 },
      ],
    );
    assert.equal(settings.signingKeyFile, '/srv/bonded/signing-key');
    assert.deepEqual([settings.issuersFile, settings.storageFile], [HERE, HERE]);
    assert.deepEqual(settings.domains, ['s3.example.org', 'store.local']);
    assert.deepEqual(settings.tls, { certificate: HERE, key: HERE });
    assert.deepEqual(settings.trustedProxies, ['10.0.0.0/8', '::1']);
    assert.deepEqual([settings.limits.headerBytes, settings.limits.bodyIdleMs, settings.limits.bodyMinRate], [65_536, 300_000, 0]);
    assert.deepEqual([settings.graceMs, settings.workers, settings.logLevel, settings.region], [604_800_000, 3, 'debug', 'us-east-1']);
  });

  const refused: readonly (readonly [variable: string, value: string, expected: RegExp])[] = [
    ['BONDED_LISTEN', '8080', /BONDED_LISTEN must be <host>:<port>/],
    ['BONDED_LISTEN', '127.0.0.1:70000', /<host>:<port>/],
    ['BONDED_LISTEN', '::1:8080', /<host>:<port>/],
    ['BONDED_LISTEN', '[::x]:8080', /<host>:<port>/],
    ['BONDED_LISTEN', '[1.2.3.4]:1', /no IPv6 address/],
    ['BONDED_OIDC_ISSUERS', '/nowhere/issuers.yaml', /cannot be read \(ENOENT\)/],
    ['BONDED_OIDC_ISSUERS', import.meta.dirname, /not a file/],
    ['BONDED_DOMAIN', 'example.org:8080', /DNS names without ports/],
    ['BONDED_DOMAIN', '10.0.0.1', /DNS names/],
    ['BONDED_REGION', 'EU_1', /lower-case letters/],
    ['BONDED_WORKERS', '0', /whole number from 1 to 256/],
    ['BONDED_WORKERS', '1.5', /whole number/],
    ['BONDED_TRUSTED_PROXIES', '10.0.0.0/33', /CIDR/],
    ['BONDED_TRUSTED_PROXIES', 'proxy.example', /CIDR/],
    ['BONDED_LOG_LEVEL', 'verbose', /one of trace, debug/],
    ['BONDED_MAX_HEADER_BYTES', '1KiB', /from 8192 to/],
    ['BONDED_MAX_HEADER_BYTES', '64kb', /such as 65536 or 64KiB/],
    ['BONDED_IDLE_TIMEOUT', '30', /with its unit/],
    ['BONDED_GRACE', '1s', /from 60000ms/],
    ['BONDED_LISTENN', '127.0.0.1:1', /BONDED_LISTENN is not known/],
  ];
  for (const [variable, value, expected] of refused) {
    it(`refuse ${variable}=${value}`, () => {
      assert.throws(
        () => readSettings({ [variable]: value }),
        (error) => isError(error, 'InvalidArgument') && expected.test(error.message),
      );
    });
  }

  it('refuse a certificate without its key', () => {
    assert.throws(() => readSettings({ BONDED_TLS_CERT: HERE }), /together or not at all/);
  });

  it('name everything that is wrong at once', () => {
    assert.throws(() => readSettings({ BONDED_WORKERS: 'x', BONDED_TYPO: '1' }), /BONDED_TYPO is not known; BONDED_WORKERS must be/);
  });
});

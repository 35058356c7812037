/** Certificates that sign themselves, for a server on the loopback address. */
import { join } from 'node:path';
import { run } from './shell.ts';

/** PEM files. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** Makes a new one in `folder`, over an older one of the same name. */
export async function makeCertificate(folder: string, name: string): Promise<CertificateFiles> {
  const files = { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  await run(['openssl', 'req', '-x509', ...kind, ...subject, '-keyout', files.key, '-out', files.certificate], {
    env: { PATH: process.env.PATH ?? '' },
  });
  return files;
}

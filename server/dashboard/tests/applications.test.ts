import { describe, expect, it } from 'vitest';
import type { Flow } from '../src/api/types';
import { applicationName, applicationOf, evidenceOf, nameOf, tcpStateWords } from '../src/lib/applications';
import { seriesClass } from '../src/lib/colors';

const flow = (change: Partial<Flow>) => ({ application: null, metadata: null, ...change }) as Flow;

describe('an application', () => {
  it('is written as people write it', () => {
    expect(['tls', 'bittorrent', 'http2', 's7comm', 'ethernet_ip', 'unknown'].map(applicationName)).toEqual([
      'TLS',
      'BitTorrent',
      'HTTP/2',
      'S7comm',
      'EtherNet/IP',
      'unknown',
    ]);
  });
  it('is a guess when only its port says so, and never when its messages do', () => {
    expect(evidenceOf(flow({ application: 'tls', evidence: 'port' })).isGuess).toBe(true);
    expect(evidenceOf(flow({ application: 'tls', evidence: 'payload' })).isGuess).toBe(false);
    expect(evidenceOf(flow({ application: 'tls', evidence: 'name' })).isGuess).toBe(false);
  });
  it('is a guess when a server does not say how it knows', () =>
    expect(evidenceOf(flow({ application: 'tls' })).isGuess).toBe(true));
  it('is none when nothing is known, whatever the evidence claims', () => {
    expect(applicationOf(flow({ application: 'unknown', evidence: 'payload' }))).toBeNull();
    expect(evidenceOf(flow({ evidence: 'port' })).short).toBe('not known');
  });
});

describe('the name of a flow', () => {
  it('is the one asked for before the one the address was known by', () => {
    const metadata = { server_name: 'a.example', destination_name: 'b.example' };
    expect(nameOf(flow({ metadata }))).toBe('a.example');
    expect(nameOf(flow({ metadata: { destination_name: 'b.example' } }))).toBe('b.example');
    expect(nameOf(flow({}))).toBeNull();
  });
});

describe('a TCP state', () => {
  it('is said in words, and not at all for other protocols', () => {
    expect(tcpStateWords('syn_sent')).toBe('asked, no answer seen');
    expect(tcpStateWords('none')).toBeNull();
    expect(tcpStateWords(undefined)).toBeNull();
    expect(tcpStateWords('a_new_one')).toBe('a new one');
  });
});

describe('a colour', () => {
  it('is the same for a name wherever it stands, and grey for what is not known', () => {
    expect(seriesClass('tls')).toBe(seriesClass('tls'));
    expect(seriesClass('unknown')).toBe('series-other');
    expect(seriesClass('other')).toBe('series-other');
    expect(seriesClass('6')).toBe('series-tcp');
    expect(seriesClass('253')).toBe('series-other');
  });
  it('tells the ten most frequent applications apart', () => {
    const frequent = ['tls', 'http', 'dns', 'quic', 'ssh', 'smb', 'postgresql', 'ntp', 'rdp', 'mqtt'];
    expect(new Set(frequent.map(seriesClass)).size).toBe(frequent.length);
  });
});

// The stock client against our server: prints one JSON line per case.
const grpc = require('@grpc/grpc-js');
const json = { s: v => Buffer.from(JSON.stringify(v)), d: b => JSON.parse(b.toString()) };
const method = (name, requestStream, responseStream) => ({
  path: '/test.Echo/' + name, requestStream, responseStream,
  requestSerialize: json.s, requestDeserialize: json.d, responseSerialize: json.s, responseDeserialize: json.d,
});
const Echo = grpc.makeGenericClientConstructor({
  unary: method('Unary', false, false), count: method('Count', false, true),
  sum: method('Sum', true, false), talk: method('Talk', true, true), nothing: method('Nothing', false, false),
}, 'Echo');
const client = new Echo(process.argv[2], grpc.credentials.createInsecure(), {
  'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1,
});
const print = (name, value) => console.log(JSON.stringify({ name, ...value }));
const failed = e => ({ code: e.code, details: e.details, bin: e.metadata?.get('detail-bin')[0]?.toString('hex') });
const call = (m, note, options = {}, metadata = new grpc.Metadata()) => new Promise(done => {
  const out = {};
  const c = client[m](note, metadata, options, (e, v) => { Object.assign(out, e ? failed(e) : { text: v.text.length > 99 ? v.text.length : v.text, count: v.count }); });
  c.on('status', s => { out.seen = s.metadata.get('seen-user')[0]; setImmediate(() => done(out)); });
});
const collect = stream => new Promise(done => {
  const counts = [];
  stream.on('data', v => counts.push(v.count));
  stream.on('error', e => done({ counts, ...failed(e) }));
  stream.on('end', () => setTimeout(() => done({ counts }), 50));
});
(async () => {
  const who = new grpc.Metadata(); who.set('user', 'eve');
  print('unary', await call('unary', { text: 'Grüße', count: 41 }, {}, who));
  print('refuse', await call('unary', { text: 'refuse', count: 0 }));
  print('deadline', await call('unary', { text: 'wait', count: 0 }, { deadline: Date.now() + 200 }));
  print('big', await call('unary', { text: 'x'.repeat(7 << 20), count: 1 }));
  print('tooBig', await call('unary', { text: 'x'.repeat(9 << 20), count: 1 }));
  print('unknown', await call('nothing', { text: 'a', count: 0 }));
  print('stream', await collect(client.count({ text: 'a', count: 300 })));
  print('streamError', await collect(client.count({ text: 'refuse', count: 3 })));
  print('sum', await new Promise(done => {
    const c = client.sum((e, v) => done(e ? failed(e) : { count: v.count }));
    for (let i = 1; i <= 100; i++) c.write({ text: 'n', count: i });
    c.end();
  }));
  const talk = client.talk();
  const heard = collect(talk);
  talk.on('data', v => talk.write({ text: v.count < 8 ? 'more' : 'last', count: v.count }));
  talk.write({ text: 'first', count: 1 });
  print('talk', await heard);
  client.close();
})();

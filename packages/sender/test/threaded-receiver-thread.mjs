import http from 'node:http';
import https from 'node:https';
import { parentPort, workerData } from 'node:worker_threads';

const { marks, heard, told, answered, tls } = workerData;

const server = tls === undefined ? http.createServer(answer) : https.createServer(tls, answer);
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));

function answer(request, response) {
  Atomics.add(marks, heard, 1);
  request.resume();
  request.on('end', () => {
    Atomics.wait(marks, told, 0);
    response.end('thanks', () => {
      Atomics.store(marks, answered, 1);
      Atomics.notify(marks, answered);
    });
  });
}

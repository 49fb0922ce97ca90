// The usual way in Node.js: AWS's SDK and pg, a client and a connection made once. The loop around the handler is a plain one,
// which does less than AWS's own runtime client: that one has to be compiled, and is slower to start.

import { AdminUpdateUserAttributesCommand, CognitoIdentityProviderClient } from "@aws-sdk/client-cognito-identity-provider";
import http from "node:http";
import pg from "pg";

const pool = new CognitoIdentityProviderClient({ maxAttempts: 2 });
const database = new pg.Client({ connectionString: process.env.USERLINK_DATABASE_URL });
await database.connect();

const UPSERT = `INSERT INTO users (cognito_sub, email) VALUES ($1, $2)
  ON CONFLICT (cognito_sub) DO UPDATE SET updated_at = now() RETURNING id`;

async function handler(event) {
  if (event.triggerSource !== "PostConfirmation_ConfirmSignUp") return event;
  const user = event.request.userAttributes;
  const { rows } = await database.query({ name: "upsert", text: UPSERT, values: [user.sub, user.email] });
  const attribute = { Name: "custom:userId", Value: rows[0].id };
  await pool.send(
    new AdminUpdateUserAttributesCommand({
      UserPoolId: event.userPoolId,
      Username: event.userName,
      UserAttributes: [attribute],
    }),
  );
  return event;
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");

function ask(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, agent, method, path: `/2018-06-01/runtime/invocation/${path}` }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => resolve([answer.headers["lambda-runtime-aws-request-id"], Buffer.concat(parts)]));
    });
    request.on("error", reject);
    request.end(body);
  });
}

for (;;) {
  const [id, event] = await ask("GET", "next");
  await ask("POST", `${id}/response`, JSON.stringify(await handler(JSON.parse(event))));
}

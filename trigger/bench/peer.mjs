// The usual way in Node.js: AWS's SDK and pg, a client and a connection made once, behind AWS's own runtime client.

import { AdminUpdateUserAttributesCommand, CognitoIdentityProviderClient } from "@aws-sdk/client-cognito-identity-provider";
import pg from "pg";

const pool = new CognitoIdentityProviderClient({ maxAttempts: 2 });
const database = new pg.Client({ connectionString: process.env.USERLINK_DATABASE_URL });
await database.connect();

const UPSERT = `INSERT INTO users (cognito_sub, email) VALUES ($1, $2)
  ON CONFLICT (cognito_sub) DO UPDATE SET updated_at = now() RETURNING id`;

export async function handler(event) {
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

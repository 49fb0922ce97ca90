"""Somebody signs up, confirms with the code, and signs in: with a client that is not ours.

Takes one JSON object on standard input (where cognito-local is, and its directory) and gives the claims of the ID token.
"""

import base64
import json
import pathlib
import sys

import boto3

asked = json.load(sys.stdin)
cognito = boto3.client("cognito-idp", endpoint_url=asked["endpoint"], region_name="us-east-1")
pool = cognito.create_user_pool(
    PoolName="chain", Schema=[{"Name": "userId", "AttributeDataType": "String", "Mutable": True}]
)["UserPool"]["Id"]
client = cognito.create_user_pool_client(
    UserPoolId=pool,
    ClientName="web",
    ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"],
    ReadAttributes=["email", "custom:userId"],
    WriteAttributes=["email"],
)["UserPoolClient"]["ClientId"]

name, password = "ada", "Correct-horse-1"
cognito.sign_up(
    ClientId=client, Username=name, Password=password, UserAttributes=[{"Name": "email", "Value": "ada@example.org"}]
)
users = json.loads(pathlib.Path(asked["directory"], ".cognito", "db", f"{pool}.json").read_text())["Users"]
code = next(user["ConfirmationCode"] for user in users.values() if user["Username"] == name)
cognito.confirm_sign_up(ClientId=client, Username=name, ConfirmationCode=code)
tokens = cognito.initiate_auth(
    ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": name, "PASSWORD": password}
)["AuthenticationResult"]
middle = tokens["IdToken"].split(".")[1]
json.dump(json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4))), sys.stdout)

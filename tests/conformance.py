"""One scenario, asked of the emulator and of emulators that are not ours.

    tests/conformance.py emulator=URL moto=URL cognito-local=URL

A check says what AWS documents (API reference and developer guide of Amazon Cognito). Ours has to pass them all; so
have the others, but for what DEVIATIONS names. A deviation that is no longer there fails, so that the table stays true.
Each endpoint gets a pool of its own. Quotas, lag and faults are ours alone: the emulator's own tests look after them.
"""

import re
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

DEVIATIONS = {
    "moto": {
        "standard attributes are in the schema": "they are left out",
        "a limit of 61 is refused": "pages of 61 are given",
        "a token goes with its filter": "any filter will do",
        "a token that was made up is refused": "with InvalidToken, which Cognito does not know",
        "a filter by user status is in any case": "case matters",
        "a filter escapes quotation marks and backslashes": "backslashes are taken as they are",
        "attributes that a user lacks are refused": "they are left out",
        "what is not in the schema is refused": "whatever is sent is kept",
        "what is immutable is refused": "it is changed",
        "a value of 2049 characters is refused": "it is kept",
        "a refused update changes nothing": "nothing is refused",
        "a blank value deletes the attribute": "it is kept, blank",
        "a new address is not verified": "it stays verified",
        "a client writes only what is in the schema": "whatever is sent is kept",
        "a page of 61 clients is refused": "it is given",
        "the sub is refused": "it is changed",
        "a new user has only what is in the schema": "whatever is sent is kept",
    },
    "cognito-local": {
        "the number of users is estimated": "it is 0",
        "an unknown pool is not found": "there is every pool",
        "sixty users a page and each of them once": "one page of all",
        "a limit of 61 is refused": "limits are ignored",
        "a token goes with its filter": "tokens are ignored",
        "a token that was made up is refused": "tokens are ignored",
        "a filter escapes quotation marks and backslashes": "backslashes are taken as they are",
        "only the attributes that were asked for": "all are given",
        "attributes that a user lacks are refused": "AttributesToGet is ignored",
        "a value of 2049 characters is refused": "it is kept",
        "an unknown user cannot be written": "with NotAuthorizedException",
        "an address that is taken is refused to another": "it is given",
        "a filter by status tells enabled from disabled": "it finds nobody",
        "a user is signed out everywhere": "the operation is missing",
        "a client writes only what is in the schema": "whatever is sent is kept",
        "clients come in pages": "MaxResults is ignored",
        "a page of 61 clients is refused": "MaxResults is ignored",
        "a new user has only what is in the schema": "whatever is sent is kept",
    },
}

USERS = 130
QUOTED = 'Ada "the \\ first"'
INVALID, UNKNOWN_USER, NOT_FOUND = "InvalidParameterException", "UserNotFoundException", "ResourceNotFoundException"


class Wrong(Exception):
    """An answer that is not what AWS documents."""


def same(got, wanted):
    if got != wanted:
        raise Wrong(f"{got!r:.90} instead of {wanted!r:.90}")


def attributes(user):
    return {pair["Name"]: pair["Value"] for pair in user.get("Attributes", user.get("UserAttributes", []))}


def pairs(values):
    return [{"Name": name, "Value": value} for name, value in values.items()]


def address(number):
    return f"person{number:03}@example.com"


class Pool:
    """A pool with sign-in by e-mail at one endpoint, and the people in it."""

    def __init__(self, url):
        config = Config(retries={"total_max_attempts": 1}, parameter_validation=False, read_timeout=30)
        self.cognito = boto3.client("cognito-idp", endpoint_url=url, region_name="us-east-1", config=config)
        schema = [
            {"Name": name, "AttributeDataType": "String", "Mutable": mutable}
            for name, mutable in [("userId", True), ("fixed", False)]
        ]
        made = self.cognito.create_user_pool(PoolName="conformance", UsernameAttributes=["email"], Schema=schema)
        self.id = made["UserPool"]["Id"]
        more = {0: {"name": QUOTED, "custom:userId": "7", "custom:fixed": "once"}}
        self.users = [self.make(address(number), more.get(number, {})) for number in range(USERS)]
        self.names = [user["Username"] for user in self.users]
        self.subs = [attributes(user)["sub"] for user in self.users]

    def ask(self, operation, **values):
        return getattr(self.cognito, operation)(**{"UserPoolId": self.id, **values})

    def refuses(self, exception, call, *arguments, **values):
        try:
            call(*arguments, **values)
        except ClientError as error:
            return same(error.response["Error"]["Code"], exception)
        raise Wrong(f"no {exception}")

    def make(self, email, more):
        known = pairs({"email": email, "email_verified": "true", **more})
        return self.ask("admin_create_user", Username=email, UserAttributes=known, MessageAction="SUPPRESS")["User"]

    def get(self, name):
        return self.ask("admin_get_user", Username=name)

    def value(self, number, attribute):
        return attributes(self.get(self.names[number])).get(attribute)

    def write(self, number, attribute, value):
        self.write_all(self.names[number], {attribute: value})

    def write_all(self, name, values):
        self.ask("admin_update_user_attributes", Username=name, UserAttributes=pairs(values))

    def pages(self, **values):
        token = {}
        while token is not None:
            page = self.ask("list_users", **values, **token)
            yield page["Users"]
            token = {"PaginationToken": page["PaginationToken"]} if "PaginationToken" in page else None

    def finds(self, filter_text, subs):
        found = [attributes(user)["sub"] for page in self.pages(Filter=filter_text) for user in page]
        same(sorted(found), sorted(subs))

    def client(self, name, **values):
        made = self.ask("create_user_pool_client", ClientName=name, **values)["UserPoolClient"]
        return self.ask("describe_user_pool_client", ClientId=made["ClientId"])["UserPoolClient"]


class Scenario(Pool):
    """The checks, in their order; the name of each is what it says."""

    def the_schema_is_described(self):
        described = self.ask("describe_user_pool")["UserPool"]
        mutable = {attribute["Name"]: attribute["Mutable"] for attribute in described["SchemaAttributes"]}
        same([mutable.get("custom:userId"), mutable.get("custom:fixed")], [True, False])
        same(described["UsernameAttributes"], ["email"])

    def standard_attributes_are_in_the_schema(self):
        described = self.ask("describe_user_pool")["UserPool"]["SchemaAttributes"]
        mutable = {attribute["Name"]: attribute["Mutable"] for attribute in described}
        same([mutable.get("email"), mutable.get("sub")], [True, False])

    def the_number_of_users_is_estimated(self):
        same(self.ask("describe_user_pool")["UserPool"]["EstimatedNumberOfUsers"], USERS)

    def an_unknown_pool_is_not_found(self):
        for operation in ["describe_user_pool", "list_users", "list_user_pool_clients"]:
            self.refuses(NOT_FOUND, self.ask, operation, UserPoolId="us-east-1_Nowhere00")

    def a_new_user_has_to_change_the_password(self):
        same({(user["UserStatus"], user["Enabled"]) for user in self.users}, {("FORCE_CHANGE_PASSWORD", True)})

    def the_username_is_the_sub_and_that_a_uuid(self):
        same(self.names, self.subs)
        same([sub for sub in self.subs if not re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", sub)], [])

    def a_new_user_can_have_what_is_immutable(self):
        same(self.value(0, "custom:fixed"), "once")

    def a_permanent_password_confirms(self):
        for name in self.names[:3]:
            self.ask("admin_set_user_password", Username=name, Password="Correct-horse-1", Permanent=True)
            same(self.get(name)["UserStatus"], "CONFIRMED")

    def a_user_is_found_by_username_and_by_address(self):
        for name in [self.names[5], address(5)]:
            same(attributes(self.get(name))["sub"], self.subs[5])

    def an_unknown_user_is_not_found(self):
        self.refuses(UNKNOWN_USER, self.get, "nobody@example.com")

    def sixty_users_a_page_and_each_of_them_once(self):
        for limit in [{}, {"Limit": 60}]:
            pages = list(self.pages(**limit))
            same([len(page) for page in pages], [60, 60, 10])
            same(sorted(attributes(user)["sub"] for page in pages for user in page), sorted(self.subs))

    def a_limit_of_61_is_refused(self):
        self.refuses(INVALID, self.ask, "list_users", Limit=61)

    def a_token_goes_with_its_filter(self):
        token = self.ask("list_users", Limit=10, Filter='email ^= "person"').get("PaginationToken", "none")
        self.refuses(INVALID, self.ask, "list_users", Limit=10, Filter='email ^= "p"', PaginationToken=token)

    def a_token_that_was_made_up_is_refused(self):
        self.refuses(INVALID, self.ask, "list_users", PaginationToken="made-up")

    def a_filter_by_sub(self):
        sub = self.subs[9]
        for text, found in [(f'= "{sub}"', [sub]), (f'= "{sub[:8]}"', []), (f'^= "{sub[:8]}"', [sub])]:
            self.finds(f"sub {text}", found)

    def sixteen_shards_by_sub_add_up_to_the_pool(self):
        for digit in "0123456789abcdef":
            self.finds(f'sub ^= "{digit}"', [sub for sub in self.subs if sub.startswith(digit)])

    def a_filter_by_address_and_by_username(self):
        self.finds(f'email = "{address(12)}"', [self.subs[12]])
        self.finds('email ^= "person12"', self.subs[120:])
        self.finds('email = "person12"', [])
        self.finds(f'username = "{self.names[3]}"', [self.subs[3]])
        self.finds(f'username ^= "{self.names[3][:9]}"', [self.subs[3]])

    def a_filter_by_user_status(self):
        self.finds('cognito:user_status = "CONFIRMED"', self.subs[:3])
        self.finds('cognito:user_status ^= "CONF"', self.subs[:3])

    def a_filter_by_user_status_is_in_any_case(self):
        self.finds('cognito:user_status = "confirmed"', self.subs[:3])

    def a_filter_escapes_quotation_marks_and_backslashes(self):
        self.finds('name = "Ada \\"the \\\\ first\\""', [self.subs[0]])

    def a_filter_by_a_custom_attribute_or_by_none_is_refused(self):
        for text in ['custom:userId = "7"', "email", "email = person", 'email = "open']:
            self.refuses(INVALID, self.ask, "list_users", Filter=text)

    def only_the_attributes_that_were_asked_for(self):
        for page in self.pages(AttributesToGet=["email"]):
            same({frozenset(attributes(user)) for user in page}, {frozenset(["email"])})

    def attributes_that_a_user_lacks_are_refused(self):
        self.refuses(INVALID, self.ask, "list_users", AttributesToGet=["custom:userId"])

    def an_attribute_is_written_over(self):
        for value in ["20", "21"]:
            self.write(20, "custom:userId", value)
            same(self.value(20, "custom:userId"), value)

    def what_is_not_in_the_schema_is_refused(self):
        self.refuses(INVALID, self.write, 21, "custom:other", "1")

    def what_is_immutable_is_refused(self):
        self.refuses(INVALID, self.write, 22, "custom:fixed", "again")

    def a_value_of_2048_characters_is_kept(self):
        self.write(25, "custom:userId", "x" * 2048)
        same(self.value(25, "custom:userId"), "x" * 2048)

    def a_value_of_2049_characters_is_refused(self):
        for attribute in ["custom:userId", "address"]:
            self.refuses(INVALID, self.write, 25, attribute, "x" * 2049)

    def a_refused_update_changes_nothing(self):
        self.refuses(INVALID, self.write_all, self.names[26], {"custom:userId": "26", "custom:other": "1"})
        same(self.value(26, "custom:userId"), None)

    def a_blank_value_deletes_the_attribute(self):
        for value in ["27", ""]:
            self.write(27, "custom:userId", value)
        same(self.value(27, "custom:userId"), None)

    def an_attribute_is_deleted(self):
        self.write(28, "custom:userId", "28")
        self.ask("admin_delete_user_attributes", Username=self.names[28], UserAttributeNames=["custom:userId"])
        same(self.value(28, "custom:userId"), None)

    def an_unknown_user_cannot_be_written(self):
        self.refuses(UNKNOWN_USER, self.write_all, "nobody@example.com", {"custom:userId": "1"})

    def a_new_address_is_not_verified(self):
        self.write(29, "email", "new029@example.com")
        same(self.value(29, "email_verified"), "false")

    def a_change_is_dated(self):
        before = self.get(self.names[31])["UserLastModifiedDate"]
        time.sleep(1.1)  # Some date to the second.
        self.write(31, "custom:userId", "31")
        same(self.get(self.names[31])["UserLastModifiedDate"] > before, True)

    def a_user_is_disabled_and_enabled(self):
        for operation, enabled in [("admin_enable_user", True), ("admin_disable_user", False)]:
            self.ask(operation, Username=self.names[40])
            same(self.get(self.names[40])["Enabled"], enabled)

    def a_filter_by_status_tells_enabled_from_disabled(self):
        self.finds('status = "Disabled"', [self.subs[40]])
        self.finds('status = "Enabled"', self.subs[:40] + self.subs[41:])

    def a_user_is_signed_out_everywhere(self):
        self.ask("admin_user_global_sign_out", Username=self.names[41])
        self.refuses(UNKNOWN_USER, self.ask, "admin_user_global_sign_out", Username="nobody@example.com")

    def a_client_has_a_secret_only_where_that_was_asked_for(self):
        clients = [self.client(f"secret {wanted}", GenerateSecret=wanted) for wanted in [True, False]]
        same([bool(client.get("ClientSecret")) for client in clients], [True, False])

    def a_client_says_what_it_may_write_if_that_was_set(self):
        same(self.client("set", WriteAttributes=["custom:userId"]).get("WriteAttributes"), ["custom:userId"])
        same(self.client("not set").get("WriteAttributes"), None)

    def a_client_writes_only_what_is_in_the_schema(self):
        self.refuses(INVALID, self.client, "other", WriteAttributes=["custom:other"])

    def clients_come_in_pages(self):
        made, found, token = {self.client(f"client {number}")["ClientId"] for number in range(3)}, [], {}
        while token is not None:
            page = self.ask("list_user_pool_clients", MaxResults=2, **token)
            same(len(page["UserPoolClients"]) <= 2, True)
            found += [client["ClientId"] for client in page["UserPoolClients"]]
            token = {"NextToken": page["NextToken"]} if "NextToken" in page else None
        same([made - set(found), len(found) - len(set(found))], [set(), 0])

    def a_page_of_61_clients_is_refused(self):
        self.refuses(INVALID, self.ask, "list_user_pool_clients", MaxResults=61)

    def an_unknown_client_is_not_found(self):
        self.refuses(NOT_FOUND, self.ask, "describe_user_pool_client", ClientId="nobody00000000000000000000")

    # What makes or breaks a user where it is not refused comes last: the others count on everybody.

    def the_sub_is_refused(self):
        self.refuses(INVALID, self.write, 23, "sub", self.subs[24])

    def a_new_user_has_only_what_is_in_the_schema(self):
        self.refuses(INVALID, self.make, "new@example.com", {"custom:other": "1"})

    def a_new_user_has_an_address_for_a_name(self):
        self.refuses(INVALID, self.ask, "admin_create_user", Username="ada", MessageAction="SUPPRESS")

    def an_address_that_is_taken_makes_no_second_user(self):
        self.refuses("UsernameExistsException", self.make, address(1), {})

    def an_address_that_is_taken_is_refused_to_another(self):
        self.refuses("AliasExistsException", self.write, 32, "email", address(33))

    def a_deleted_user_is_gone(self):
        self.ask("admin_delete_user", Username=self.names[50])
        self.refuses(UNKNOWN_USER, self.get, self.names[50])
        self.refuses(UNKNOWN_USER, self.ask, "admin_delete_user", Username=self.names[50])
        self.finds(f'sub = "{self.subs[50]}"', [])


CHECKS = {name.replace("_", " "): check for name, check in vars(Scenario).items() if not name.startswith("_")}


def wrong_with(scenario, check):
    """What is wrong with an endpoint's answers; None where nothing is."""
    try:
        return check(scenario)
    except Wrong as wrong:
        return str(wrong)
    except (BotoCoreError, ClientError, KeyError) as error:
        return f"{type(error).__name__}: {error}"


def judged(known, wrong):
    """Whether a check has passed, and what more is to be said."""
    if known is None:
        return wrong is None, f": {wrong}" if wrong else ""
    if wrong is None:
        return False, f": deviates no longer ({known}); take it out of DEVIATIONS"
    return True, f": deviates, as is known ({known})"


def main():
    endpoints = [argument.split("=", 1) for argument in sys.argv[1:]]
    if not endpoints or not all(len(endpoint) == 2 for endpoint in endpoints):
        sys.exit(__doc__)
    tally = {True: 0, False: 0}

    def say(good, name, what, rest):
        print(f"{'ok  ' if good else 'FAIL'} {name}: {what}{rest}", flush=True)
        tally[good] += 1

    for name, url in endpoints:
        known, scenario = DEVIATIONS.get(name, {}), Scenario(url)
        for what, check in CHECKS.items():
            good, rest = judged(known.get(what), wrong_with(scenario, check))
            say(good, name, what, rest)
        for what in known.keys() - CHECKS.keys():
            say(False, name, what, ": is in DEVIATIONS, and is no check")
    print(f"{tally[True]} passed, {tally[False]} failed")
    sys.exit(1 if tally[False] else 0)


if __name__ == "__main__":
    main()

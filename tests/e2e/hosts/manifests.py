"""Checks the manifests of deploy/ against the platforms' schemas, as far as their fields are used here.

A schema is written as a value: a type, a pattern, `[item]` for a list, a dictionary for an object whose keys are
required where they end in "!". A key that a schema does not have is a mistake, as it is for the platforms.
"""

import json
import pathlib
import re
import sys
import tomllib

import yaml

DEPLOY = pathlib.Path(__file__).resolve().parents[3] / "deploy"

NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
TEXT = re.compile(r".*", re.DOTALL)
URL_HOST = re.compile(r"\*|([a-z]+://)?(\*\.)?[A-Za-z0-9.-]+(:[0-9]{1,5})?/?")
MAP = object()

REFERENCE = {"name!": NAME, "key!": TEXT}
OPTION = {"name!": TEXT, "value": TEXT, "valueFrom": {"secretKeyRef": REFERENCE, "configMapKeyRef": REFERENCE}}
STORE = {"name!": TEXT, "type!": TEXT, "options": [OPTION]}
TIMES = {"initialDelaySeconds": int, "timeoutSeconds": int, "periodSeconds": int, "failureThreshold": int}
SPIN_PROBE = {"httpGet!": {"path!": re.compile("/.*")}, **TIMES}
PROBE = {"httpGet!": {"path!": re.compile("/.*"), "port!": TEXT}, **TIMES}
MOUNT = {"name!": NAME, "mountPath!": TEXT, "subPath": TEXT, "readOnly": bool}
VOLUME = {"name!": NAME, "configMap": {"name!": NAME}, "secret": {"secretName!": NAME}, "emptyDir": {"sizeLimit": TEXT}}
RESOURCES = {"requests": MAP, "limits": MAP}
METADATA = {"name!": NAME, "labels": MAP}
PORT = {"name!": NAME, "port!": int, "protocol": re.compile("TCP"), "targetPort": TEXT}

# SpinKube's operator 0.6, wasmCloud's 2.10, and Kubernetes itself.
SCHEMAS = {
    ("core.spinkube.dev/v1alpha1", "SpinApp"): {
        "spec!": {
            "image!": TEXT,
            "executor!": NAME,
            "replicas!": int,
            "variables": [OPTION],
            "runtimeConfig": {"keyValueStores": [STORE]},
            "checks": {"readiness": SPIN_PROBE, "liveness": SPIN_PROBE},
            "resources": RESOURCES,
        },
    },
    ("runtime.wasmcloud.dev/v1alpha1", "WorkloadDeployment"): {
        "spec!": {
            "replicas": int,
            "kubernetes": {"service": {"name!": NAME}},
            "template!": {
                "spec!": {
                    "hostSelector": MAP,
                    "hostInterfaces": [
                        {"namespace!": TEXT, "package!": TEXT, "version": TEXT, "interfaces!": [TEXT], "config": MAP}
                    ],
                    "volumes": [{"name!": NAME, "ephemeral": {}, "hostPath": {"path!": TEXT}}],
                    "components": [
                        {
                            "name!": TEXT,
                            "image!": TEXT,
                            "poolSize": int,
                            "maxConcurrency": int,
                            "maxInvocations": int,
                            "localResources": {
                                "environment": {
                                    "config": MAP,
                                    "configFrom": [{"name!": NAME}],
                                    "secretFrom": [{"name!": NAME}],
                                },
                                "allowedHosts": [URL_HOST],
                                "volumeMounts": [MOUNT],
                            },
                        }
                    ],
                }
            },
        },
    },
    ("apps/v1", "Deployment"): {
        "spec!": {
            "replicas": int,
            "selector!": {"matchLabels!": MAP},
            "template!": {
                "metadata!": {"labels!": MAP},
                "spec!": {
                    "runtimeClassName": NAME,
                    "automountServiceAccountToken": bool,
                    "containers!": [
                        {
                            "name!": NAME,
                            "image!": TEXT,
                            "command": [TEXT],
                            "env": [OPTION],
                            "ports": [{"name!": NAME, "containerPort!": int}],
                            "envFrom": [{"secretRef!": {"name!": NAME}}],
                            "volumeMounts": [MOUNT],
                            "readinessProbe!": PROBE,
                            "livenessProbe": PROBE,
                            "resources": RESOURCES,
                            "securityContext": {
                                "allowPrivilegeEscalation": bool,
                                "readOnlyRootFilesystem": bool,
                                "runAsNonRoot": bool,
                                "seccompProfile": {"type!": TEXT},
                                "capabilities": {"drop!": [TEXT]},
                            },
                        }
                    ],
                    "volumes": [VOLUME],
                },
            },
        },
    },
    ("v1", "Service"): {"spec!": {"type": TEXT, "selector": MAP, "ports!": [PORT]}},
    ("v1", "ConfigMap"): {"data!": MAP},
}

# Values of wasmCloud's Helm chart, `runtime-operator`: the only documents without an `apiVersion`.
VALUES = {"runtime!": {"env!": [{"name!": re.compile("(WASH|WASMTIME)_[A-Z_]+"), "value!": TEXT}]}}


def mistakes(value, schema, path):
    """Returns the faults of a value, each with its path."""
    if schema is MAP:
        schema = {key: TEXT for key in value} if isinstance(value, dict) else {}
    if isinstance(schema, dict):
        if not isinstance(value, dict):
            return [f"{path}: must be an object"]
        known = {key.removesuffix("!"): inner for key, inner in schema.items()}
        lacking = [key[:-1] for key in schema if key.endswith("!") and key[:-1] not in value]
        found = [f"{path}.{key}: is missing" for key in lacking]
        for key, inner in value.items():
            here = f"{path}.{key}"
            found += mistakes(inner, known[key], here) if key in known else [f"{here}: is not known"]
        return found
    if isinstance(schema, list):
        if not isinstance(value, list):
            return [f"{path}: must be a list"]
        return [m for n, item in enumerate(value) for m in mistakes(item, schema[0], f"{path}[{n}]")]
    if isinstance(schema, type):
        return [] if type(value) is schema else [f"{path}: must be {schema.__name__}"]
    fits = isinstance(value, str) and schema.fullmatch(value)
    return [] if fits else [f"{path}: {value!r} does not fit"]


def documents(file):
    return [document for document in yaml.safe_load_all(file.read_text()) if document]


def check(claim, found):
    for mistake in found:
        print(f"# {mistake}")
    print(f"{'not ok' if found else 'ok'} - {claim}")
    return not found


def fits_schema(document):
    if "apiVersion" not in document:
        return mistakes(document, VALUES, "values")
    identity = (document["apiVersion"], document["kind"])
    schema = {"apiVersion!": TEXT, "kind!": TEXT, "metadata!": METADATA, **SCHEMAS[identity]}
    return mistakes(document, schema, document["kind"])


def of_spin_app():
    app = documents(DEPLOY / "spinkube/spinapp.yaml")[0]
    return {variable["name"]: variable for variable in app["spec"]["variables"]}


def of_spin_deployment():
    deployment = documents(DEPLOY / "spinkube/deployment.yaml")[0]
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    prefix = "SPIN_VARIABLE_"
    variables = [variable for variable in container["env"] if variable["name"].startswith(prefix)]
    return {variable["name"].removeprefix(prefix).lower(): variable for variable in variables}


def spin_variables(given):
    """Only the variables of the Spin manifest have values, and secrets come from a Secret."""
    manifest = tomllib.loads((DEPLOY / "spinkube/spin.toml").read_text())["variables"]
    found = [f"{name} is given and not declared" for name in given.keys() - manifest.keys()]
    for name, variable in manifest.items():
        if variable.get("required") and name not in given:
            found.append(f"{name} is required and not given")
        if variable.get("secret") and "secretKeyRef" not in given.get(name, {}).get("valueFrom", {}):
            found.append(f"{name} is a secret and comes from none")
    return found


def served_port():
    """The container's port is the port of its entry point."""
    recipe = (DEPLOY / "container/Dockerfile").read_text()
    words = json.loads(re.search(r"^ENTRYPOINT (.*)$", recipe, re.MULTILINE).group(1))
    port = int(next(word for word in words if word.startswith("--addr=")).rsplit(":", 1)[1])
    deployment, service = documents(DEPLOY / "container/deployment.yaml")
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    exposed = [p["containerPort"] for p in container["ports"] if p["name"] == service["spec"]["ports"][0]["targetPort"]]
    return [] if exposed == [port] else [f"{port} is served, and {exposed} exposed"]


def wasmcloud_connections():
    """wasmCloud's hosts allow one connection to OpenClaw for each request of a replica's warm instances."""
    workload = documents(DEPLOY / "wasmcloud/workload.yaml")[-1]
    component = workload["spec"]["template"]["spec"]["components"][0]
    requests = component["poolSize"] * component["maxConcurrency"]
    host = documents(DEPLOY / "wasmcloud/values.yaml")[0]["runtime"]["env"]
    values = {variable["name"]: variable["value"] for variable in host}
    connections = int(values["WASH_MAX_OUTBOUND_HTTP_CONNECTIONS_PER_WORKLOAD"])
    return [] if connections >= requests else [f"{requests} requests have {connections} connections"]


passed = [
    check(f"{file.relative_to(DEPLOY)} has the fields of its platforms", [m for d in documents(file) for m in fits_schema(d)])
    for file in sorted(DEPLOY.glob("*/*.yaml"))
]
passed.append(check("SpinKube's application gives every variable its value", spin_variables(of_spin_app())))
passed.append(check("SpinKube's deployment gives every variable its value", spin_variables(of_spin_deployment())))
passed.append(check("wasmCloud's hosts allow a connection for each request", wasmcloud_connections()))
passed.append(check("the container's port is the one that is served", served_port()))
sys.exit(not all(passed))

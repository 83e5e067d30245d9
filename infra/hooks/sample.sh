#!/bin/sh
# Deploys the sample model to the workspace that azd made, and writes its route where there are no routes yet. Run by azd
# after provisioning; by hand from the project's folder: sh infra/hooks/sample.sh
set -eu

setting() {
  azd env get-value "$1"
}

# A role that was granted a minute ago may not be in force yet.
patiently() {
  tries=${SAMPLE_TRIES:-10}
  until "$@"; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || return 1
    sleep "${SAMPLE_PAUSE:-30}"
  done
}

workspace=$(setting SAMPLE_WORKSPACE_NAME)
if [ -z "$workspace" ]; then
  echo "The workspace is one of yours: its models and routes are, too (docs/deploy.md)."
  exit 0
fi
subscription=$(setting AZURE_SUBSCRIPTION_ID)
group=$(setting AZURE_RESOURCE_GROUP)
endpoint=$(setting SAMPLE_ENDPOINT_NAME)
storage=$(setting STORAGE_ACCOUNT_NAME)
config=$(setting CONFIG_CONTAINER)

if [ ! -e models/diabetes/model/diabetes.joblib ]; then
  python3 -m venv .local/model
  .local/model/bin/python -m pip install --quiet --disable-pip-version-check -r models/diabetes/requirements.txt
  .local/model/bin/python models/diabetes/train.py
fi
az extension add --name ml --upgrade --only-show-errors
az ml batch-endpoint create --subscription "$subscription" --resource-group "$group" --workspace-name "$workspace" \
  --name "$endpoint" --file models/diabetes/endpoint.yml --output none
patiently az ml batch-deployment create --subscription "$subscription" --resource-group "$group" \
  --workspace-name "$workspace" --endpoint-name "$endpoint" --file models/diabetes/deployment.yml \
  --set-default --output none
url=$(az ml batch-endpoint show --subscription "$subscription" --resource-group "$group" --workspace-name "$workspace" \
  --name "$endpoint" --query scoring_uri --output tsv)

routes=.azure/routes.toml
mkdir -p .azure
sed "s|SCORING_URL|$url|" infra/hooks/routes.toml >"$routes"

if ! found=$(patiently az storage blob exists --subscription "$subscription" --auth-mode login \
  --account-name "$storage" --container-name "$config" --name routes.toml --query exists --output tsv); then
  echo "The container $config cannot be reached from here. Once the app is deployed: dropscore routes set $routes"
  exit 0
fi
if [ "$found" = true ]; then
  echo "config/routes.toml is there already and is left alone. The sample model's route is in $routes"
  exit 0
fi
az storage blob upload --subscription "$subscription" --auth-mode login \
  --account-name "$storage" --container-name "$config" --name routes.toml --file "$routes" --output none
echo "The sample model scores what is dropped as diabetes/*.csv."

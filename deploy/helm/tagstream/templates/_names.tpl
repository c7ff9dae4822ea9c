{{- define "tagstream.name" -}}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{- end }}

{{- define "tagstream.image" -}}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{- end }}

{{- /* Labels that select the pods of a part: run, serve, topics. */ -}}
{{- define "tagstream.selector" -}}
app.kubernetes.io/name: tagstream
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "tagstream.labels" -}}
{{ include "tagstream.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "tagstream.catalogName" -}}
{{- if .Values.catalog.configMap }}{{ .Values.catalog.configMap }}
{{- else if .Values.catalog.text }}{{ include "tagstream.name" . }}-catalog
{{- else }}{{ fail "there is no catalog: give --set-file catalog.text=catalog.yaml, or catalog.configMap" }}{{ end }}
{{- end }}

{{- define "tagstream.variable" -}}TAGSTREAM__{{ . | replace "." "__" | upper }}{{- end }}

{{- /* The variable of a setting; dots in the name of a property of librdkafka are single underscores there. */ -}}
{{- define "tagstream.settingVariable" -}}
{{- $property := trimPrefix "kafka.properties." . -}}
{{- if ne $property . }}TAGSTREAM__KAFKA__PROPERTIES__{{ $property | replace "." "_" | upper }}
{{- else }}{{ include "tagstream.variable" . }}{{ end }}
{{- end }}

{{- /* A value as a variable holds it. Numbers of YAML are floating-point numbers in a template. */ -}}
{{- define "tagstream.value" -}}
{{- if kindIs "slice" . }}{{ join "," . }}
{{- else if and (kindIs "float64" .) (eq . (floor .)) }}{{ int64 . }}
{{- else }}{{ toString . }}{{ end }}
{{- end }}

{{- /* Settings as variables: a map of sections, of which kafka.properties is one. */ -}}
{{- define "tagstream.settings" -}}
{{- range $section, $keys := . }}
{{- range $key, $value := $keys }}
{{- if and (eq $section "kafka") (eq $key "properties") }}
{{- range $property, $value := $value }}
- { name: {{ include "tagstream.settingVariable" (printf "kafka.properties.%s" $property) }}, value: {{ include "tagstream.value" $value | quote }} }
{{- end }}
{{- else }}
- { name: {{ include "tagstream.variable" (printf "%s.%s" $section $key) }}, value: {{ include "tagstream.value" $value | quote }} }
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- /* What every container of tagstream has in its environment. */ -}}
{{- define "tagstream.environment" -}}
- { name: TAGSTREAM_LOG, value: {{ .Values.log | quote }} }
- { name: TAGSTREAM__CATALOG, value: {{ printf "/etc/tagstream/catalog/%s" .Values.catalog.key | quote }} }
{{- include "tagstream.settings" .Values.settings }}
{{- range $index, $secret := .Values.secrets }}
- { name: {{ include "tagstream.settingVariable" $secret.setting }}_FILE, value: /run/secrets/tagstream/secret-{{ $index }} }
{{- end }}
{{- range $index, $file := .Values.files }}
- { name: {{ include "tagstream.settingVariable" $file.setting }}, value: /etc/tagstream/files/file-{{ $index }} }
{{- end }}
{{- end }}

{{- define "tagstream.mounts" -}}
- { name: catalog, mountPath: /etc/tagstream/catalog, readOnly: true }
- { name: temporary, mountPath: /tmp }
{{- if .Values.secrets }}
- { name: secrets, mountPath: /run/secrets/tagstream, readOnly: true }
{{- end }}
{{- if .Values.files }}
- { name: files, mountPath: /etc/tagstream/files, readOnly: true }
{{- end }}
{{- end }}

{{- /* Not with subPath: such a mount would never show a changed ConfigMap. */ -}}
{{- define "tagstream.volumes" -}}
- { name: catalog, configMap: { name: {{ include "tagstream.catalogName" . }} } }
- { name: temporary, emptyDir: { sizeLimit: 64Mi } }
{{- if .Values.secrets }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range $index, $secret := .Values.secrets }}
      - secret: { name: {{ $secret.secret }}, items: [ { key: {{ $secret.key }}, path: secret-{{ $index }} } ] }
      {{- end }}
{{- end }}
{{- if .Values.files }}
- name: files
  projected:
    defaultMode: 0440
    sources:
      {{- range $index, $file := .Values.files }}
      - {{ if $file.configMap }}configMap{{ else }}secret{{ end }}: { name: {{ $file.configMap | default $file.secret }}, items: [ { key: {{ $file.key }}, path: file-{{ $index }} } ] }
      {{- end }}
{{- end }}
{{- end }}

{{- define "tagstream.podSecurity" -}}
automountServiceAccountToken: false
# Variables such as TAGSTREAM_SERVICE_HOST would be there for nothing.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
{{- with .Values.scheduling }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "tagstream.containerSecurity" -}}
{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: [ALL] } }
{{- end }}

{{- define "plumbline.labels" -}}
app.kubernetes.io/name: plumbline
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "plumbline.selector" -}}
app.kubernetes.io/name: plumbline
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "plumbline.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "plumbline.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "plumbline.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* Settings: secrets by reference, then those of every target and of this one, which wins. */}}
{{- define "plumbline.env" -}}
env:
  - { name: PLUMBLINE_AUTH_FILE, value: /secrets/auth/{{ .root.Values.auth.key }} }
  {{- range $name, $from := .root.Values.secrets }}
  - name: {{ $name }}
    valueFrom:
      secretKeyRef: { name: {{ $from.name }}, key: {{ $from.key }} }
  {{- end }}
  {{- range $name, $value := mergeOverwrite (deepCopy .root.Values.config) .config }}
  - { name: {{ $name }}, value: {{ $value | toString | quote }} }
  {{- end }}
{{- end -}}

{{- define "plumbline.volumeMounts" -}}
volumeMounts:
  - { name: data, mountPath: /data }
  - { name: tmp, mountPath: /tmp }
  {{- if .models }}
  - { name: models, mountPath: /models, readOnly: true }
  - { name: sources, mountPath: /sources, readOnly: true }
  {{- end }}
  - { name: auth, mountPath: /secrets/auth, readOnly: true }
  {{- range .root.Values.secretFiles }}
  - { name: secret-{{ . }}, mountPath: /secrets/{{ . }}, readOnly: true }
  {{- end }}
{{- end -}}

{{- define "plumbline.volumes" -}}
volumes:
  - name: data
    emptyDir: { sizeLimit: {{ .scratch }} }
  - name: tmp
    emptyDir: { sizeLimit: 256Mi }
  {{- if .models }}
  - name: models
    configMap: { name: {{ .root.Values.modelsConfigMap | default (printf "%s-models" .root.Release.Name) }} }
  - name: sources
    configMap: { name: {{ .root.Values.sourcesConfigMap | default (printf "%s-sources" .root.Release.Name) }} }
  {{- end }}
  - name: auth
    secret: { secretName: {{ .root.Values.auth.name }}, items: [{ key: {{ .root.Values.auth.key }}, path: {{ .root.Values.auth.key }} }] }
  {{- range .root.Values.secretFiles }}
  - name: secret-{{ . }}
    secret: { secretName: {{ . }} }
  {{- end }}
{{- end -}}

{{/* Names are looked up, and stores called, wherever they are. */}}
{{- define "plumbline.egress" -}}
- ports:
    - { port: 53, protocol: UDP }
    - { port: 53, protocol: TCP }
- ports:
    {{- range .Values.networkPolicy.storePorts }}
    - { port: {{ . | int }}, protocol: TCP }
    {{- end }}
{{- end -}}

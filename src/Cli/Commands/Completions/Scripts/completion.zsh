#compdef orch
# zsh completion for orch. Load it with: source <(orch completion zsh), or save it as _orch in a folder of $fpath.
_orch() {
    local line files
    local -a found
    while IFS= read -r line; do
        if [[ $line == :files ]]; then
            files=1
        else
            found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
        fi
    done < <("${words[1]}" __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
    (( ${#found} )) && _describe -t orch orch found
    [[ -n $files ]] && _files
}
if [[ "$funcstack[1]" == _orch ]]; then _orch; else compdef _orch orch; fi

using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Orchestrator.Tests.Unit.Architecture;

/// <summary>What the types of one compiled assembly mention: in signatures, attributes' owners and method bodies (ECMA-335, II.22 and III).</summary>
internal sealed class CompiledReferences
{
    private static readonly OperandType?[] OneByte = new OperandType?[256];
    private static readonly OperandType?[] TwoByte = new OperandType?[256];

    private readonly MetadataReader _metadata;
    private readonly PEReader _image;

    static CompiledReferences()
    {
        foreach (var field in typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static))
        {
            if (field.GetValue(null) is OpCode code)
                (code.Size == 1 ? OneByte : TwoByte)[code.Value & 0xff] = code.OperandType;
        }
    }

    private CompiledReferences(PEReader image)
    {
        _image = image;
        _metadata = image.GetMetadataReader();
    }

    /// <summary>An edge for every (type, mentioned type or method): names with namespaces, nested types under their outermost one.</summary>
    internal static ImmutableArray<Mention> Of(string assembly)
    {
        using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, assembly + ".dll"));
        using var image = new PEReader(file);
        return [.. new CompiledReferences(image).Read().Distinct()];
    }

    private IEnumerable<Mention> Read()
    {
        foreach (var handle in _metadata.TypeDefinitions)
        {
            var from = Outermost(handle);
            var type = _metadata.GetTypeDefinition(handle);
            var tokens = new List<EntityHandle> { type.BaseType };
            tokens.AddRange(type.GetInterfaceImplementations().Select(i => _metadata.GetInterfaceImplementation(i).Interface));
            foreach (var token in tokens.SelectMany(t => Named(t)))
                yield return new Mention(from, token);
            foreach (var field in type.GetFields())
            {
                foreach (var name in Signature(_metadata.GetFieldDefinition(field).DecodeSignature(new Names(this), null)))
                    yield return new Mention(from, name);
            }
            foreach (var method in type.GetMethods().Select(_metadata.GetMethodDefinition))
            {
                var signature = method.DecodeSignature(new Names(this), null);
                foreach (var name in signature.ParameterTypes.Add(signature.ReturnType).SelectMany(Signature))
                    yield return new Mention(from, name);
                if (method.Attributes.HasFlag(MethodAttributes.PinvokeImpl))
                    yield return new Mention(from, "(native import)");
                if (method.RelativeVirtualAddress == 0)
                    continue;
                foreach (var name in Body(_image.GetMethodBody(method.RelativeVirtualAddress)))
                    yield return new Mention(from, name);
            }
        }
    }

    private IEnumerable<string> Body(MethodBodyBlock body)
    {
        if (!body.LocalSignature.IsNil)
        {
            foreach (var name in _metadata.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(new Names(this), null).SelectMany(Signature))
                yield return name;
        }
        var code = body.GetILContent();
        for (var at = 0; at < code.Length;)
        {
            var operand = code[at] == 0xfe ? TwoByte[code[++at]] : OneByte[code[at]];
            at++;
            switch (operand)
            {
                case OperandType.InlineMethod or OperandType.InlineType or OperandType.InlineField or OperandType.InlineTok:
                    var token = BitConverter.ToInt32(code.AsSpan().Slice(at, 4));
                    foreach (var name in Named(MetadataTokens.EntityHandle(token)))
                        yield return name;
                    at += 4;
                    break;
                case OperandType.InlineSwitch:
                    at += 4 + (4 * BitConverter.ToInt32(code.AsSpan().Slice(at, 4)));
                    break;
                case OperandType.InlineI8 or OperandType.InlineR:
                    at += 8;
                    break;
                case OperandType.InlineVar:
                    at += 2;
                    break;
                case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar:
                    at += 1;
                    break;
                case OperandType.InlineNone:
                    break;
                default:
                    at += 4;
                    break;
            }
        }
    }

    private static IEnumerable<string> Signature(string names) => names.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private IEnumerable<string> Named(EntityHandle handle)
    {
        if (handle.IsNil)
            return [];
        switch (handle.Kind)
        {
            case HandleKind.TypeDefinition:
                return [Outermost((TypeDefinitionHandle)handle)];
            case HandleKind.TypeReference:
                return [Reference((TypeReferenceHandle)handle)];
            case HandleKind.TypeSpecification:
                return Signature(_metadata.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(new Names(this), null));
            case HandleKind.MethodSpecification:
                var spec = _metadata.GetMethodSpecification((MethodSpecificationHandle)handle);
                return Named(spec.Method).Concat(spec.DecodeSignature(new Names(this), null).SelectMany(Signature));
            case HandleKind.MemberReference:
                var member = _metadata.GetMemberReference((MemberReferenceHandle)handle);
                var owners = Named(member.Parent).ToArray();
                return [.. owners, .. owners.Take(1).Select(o => $"{o}::{_metadata.GetString(member.Name)}{(TakesOneBoolean(member) ? "(bool)" : "")}")];
            case HandleKind.MethodDefinition:
                return [Outermost(_metadata.GetMethodDefinition((MethodDefinitionHandle)handle).GetDeclaringType())];
            case HandleKind.FieldDefinition:
                return [Outermost(_metadata.GetFieldDefinition((FieldDefinitionHandle)handle).GetDeclaringType())];
            default:
                return [];
        }
    }

    private bool TakesOneBoolean(MemberReference member)
    {
        var signature = _metadata.GetBlobBytes(member.Signature);
        return signature.Length > 2 && signature[1] == 1 && signature[^1] == (byte)SignatureTypeCode.Boolean;
    }

    private string Outermost(TypeDefinitionHandle handle)
    {
        var type = _metadata.GetTypeDefinition(handle);
        var outer = type.GetDeclaringType();
        return outer.IsNil ? $"{_metadata.GetString(type.Namespace)}.{_metadata.GetString(type.Name)}" : Outermost(outer);
    }

    private string Reference(TypeReferenceHandle handle)
    {
        var type = _metadata.GetTypeReference(handle);
        return type.ResolutionScope.Kind == HandleKind.TypeReference
            ? Reference((TypeReferenceHandle)type.ResolutionScope)
            : $"{_metadata.GetString(type.Namespace)}.{_metadata.GetString(type.Name)}";
    }

    /// <summary>Decodes a signature to the space-separated names of every type in it.</summary>
    private sealed class Names(CompiledReferences owner) : ISignatureTypeProvider<string, object?>
    {
        public string GetArrayType(string elementType, ArrayShape shape) => elementType;
        public string GetByReferenceType(string elementType) => elementType;
        public string GetFunctionPointerType(MethodSignature<string> signature) => string.Join(' ', signature.ParameterTypes.Add(signature.ReturnType));
        public string GetGenericInstantiation(string genericType, ImmutableArray<string> typeArguments) => $"{genericType} {string.Join(' ', typeArguments)}";
        public string GetGenericMethodParameter(object? genericContext, int index) => "";
        public string GetGenericTypeParameter(object? genericContext, int index) => "";
        public string GetModifiedType(string modifier, string unmodifiedType, bool isRequired) => unmodifiedType;
        public string GetPinnedType(string elementType) => elementType;
        public string GetPointerType(string elementType) => elementType;
        public string GetPrimitiveType(PrimitiveTypeCode typeCode) => "";
        public string GetSZArrayType(string elementType) => elementType;
        public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) => owner.Outermost(handle);
        public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) => owner.Reference(handle);
        public string GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
            reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);
    }
}

/// <summary>One type mentions another type (<c>Namespace.Name</c>), a foreign member (<c>Namespace.Name::Member</c>) or a native import.</summary>
internal readonly record struct Mention(string From, string To)
{
    internal bool In(string room) => From.StartsWith(room + ".", StringComparison.Ordinal);

    internal bool Of(string room) => To.StartsWith(room + ".", StringComparison.Ordinal);
}
